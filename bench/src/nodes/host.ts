/** Runs many nodes of this system on one Redis, without clients. */
import { RedisWsProvider } from '@orijs/websocket-redis';
import { answerRequests, report } from '@orijs/testkit/child';
import { now } from '../clock.ts';
import type { HostRequest, NodeEvent } from './requests.ts';

const POLL_MS = 50;
/** How late a timer may be, in milliseconds, for the process to keep up with its nodes. */
const LATE_MS = 50;

const nodes: RedisWsProvider[] = [];

/**
 * Starts one node after the other, as fast as those that have started leave time for it: real nodes have a process of
 * their own, which the start of another one does not hold up.
 */
async function start(redisPort: number, count: number): Promise<readonly string[]> {
	while (nodes.length < count) {
		await startNode(redisPort);
		while ((await lateness()) > LATE_MS);
	}
	return nodes.map(({ nodeId }) => nodeId);
}

/** Returns how late a timer is, in milliseconds. */
async function lateness(): Promise<number> {
	const startedAt = performance.now();
	await Bun.sleep(1);
	return performance.now() - startedAt - 1;
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
