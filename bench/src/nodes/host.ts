/** Runs many nodes of this system on one Redis, without clients. */
import { RedisWsProvider } from '@orijs/websocket-redis';
import { answerRequests, report } from '@orijs/testkit/child';
import { now } from '../clock.ts';
import type { HostRequest, NodeEvent } from './requests.ts';

/** How many nodes start at the same time. Redis would refuse connections beyond the length of its queue (511). */
const AT_ONCE = 10;
const POLL_MS = 50;

const nodes: RedisWsProvider[] = [];

async function start(redisPort: number, count: number): Promise<readonly string[]> {
	for (let left = count; left > 0; left -= AT_ONCE) {
		await Promise.all(Array.from({ length: Math.min(AT_ONCE, left) }, () => startNode(redisPort)));
	}
	return nodes.map(({ nodeId }) => nodeId);
}

async function startNode(port: number): Promise<void> {
	const tell = (kind: NodeEvent['kind'], about?: string): void => {
		const event: NodeEvent = { at: now(), node: node.nodeId, kind, ...(about !== undefined && { about }) };
		void report(event);
	};
	const warn = (text: string): void => tell('warning', text);
	const node = new RedisWsProvider({
		connection: { port },
		connectTimeout: 60_000,
		logger: { debug() {}, info() {}, warn, error: warn },
	});
	nodes.push(node);
	await node.start();
	node.onStatus((status) => {
		if (status !== 'stopped') tell(status);
	});
	node.cluster.onNodesChange(({ left }) => {
		for (const { id } of left) tell('lost', id);
	});
}

async function waitUntilKnown(wanted: number): Promise<void> {
	for (const { cluster } of nodes) while (cluster.nodes().length < wanted) await Bun.sleep(POLL_MS);
}

answerRequests((body): unknown => {
	const request = body as HostRequest;
	switch (request.do) {
		case 'start':
			return start(request.redisPort, request.count);
		case 'wait-until-known':
			return waitUntilKnown(request.nodes);
	}
});
