import { expect, it, onTestFinished } from 'vitest';
import { until } from '@orijs/testkit';
import { ClusterDeployment } from './cluster/cluster-deployment.ts';
import type { NodeProcess } from './cluster/node-process.ts';
import type { NodesChange, StatusChange } from './cluster/protocol.ts';
import { oneRedis } from './harness/backend.ts';
import { IS_FULL_RUN } from './harness/select-conditions.ts';

/** Within 5 s and 2 s, and a margin because two cores run everything. */
const SILENT_WITHIN_MS = 6_000;
const DEAD_WITHIN_MS = 3_000;
const PATIENCE_MS = 20_000;

const NODES = 5;
/** The number of nodes above which beats are collected: less than there are, and more. */
const MODES = IS_FULL_RUN ? [4, 32] : [4];

it.each(MODES)(
	'a silent node and a dead subscription are found in time (beats are collected above %d nodes)',
	async (collectBeatsAbove) => {
		const deployment = await ClusterDeployment.start(await oneRedis()({}), {
			nodes: NODES,
			collectBeatsAbove,
			clientsPerNode: 0,
		});
		onTestFinished(() => deployment.stop());
		const [a, b, c, d] = deployment.nodes as [NodeProcess, NodeProcess, NodeProcess, NodeProcess];
		const took = {
			killed: await silence(
				deployment,
				a,
				() => a.kill(),
				() => a.start(),
			),
			frozen: await silence(
				deployment,
				b,
				() => b.freeze(),
				() => b.thaw(),
			),
			cutOff: await silence(
				deployment,
				c,
				() => c.links.cut(),
				() => c.links.repair(),
			),
			dead: await deadSubscription(d),
		};
		console.log(`found after, with beats collected above ${collectBeatsAbove}:`, took);
		expect(Math.max(took.killed, took.frozen, took.cutOff), JSON.stringify(took)).toBeLessThan(SILENT_WITHIN_MS);
		expect(took.dead).toBeLessThan(DEAD_WITHIN_MS);
	},
	120_000,
);

/** Silences a node. Returns how long it took until it had left the nodes of all others, in milliseconds. */
async function silence(
	deployment: ClusterDeployment,
	node: NodeProcess,
	breaks: () => void | Promise<void>,
	repair: () => void | Promise<void>,
): Promise<number> {
	const { nodeId } = node;
	const others = deployment.nodes.filter((other) => other !== node);
	const from = Date.now();
	await breaks();
	const found = await Promise.all(
		others.map((other) =>
			firstAfter<NodesChange>(other, 'changes', from, ({ left }) => left.some(({ id }) => id === nodeId)),
		),
	);
	await repair();
	await deployment.untilAllAgree();
	return Math.max(...found) - from;
}

/** Swallows what Redis sends to a node's subscriber. Returns how long it took until the node knew. */
async function deadSubscription(node: NodeProcess): Promise<number> {
	const from = Date.now();
	node.links.swallow();
	const found = await firstAfter<StatusChange>(node, 'statuses', from, ({ status }) => status !== 'ready');
	node.links.repair();
	return found - from;
}

/** Resolves with the time of a node's first change after `from` that is as described. */
async function firstAfter<Change extends { readonly at: number }>(
	node: NodeProcess,
	kind: 'changes' | 'statuses',
	from: number,
	is: (change: Change) => boolean,
): Promise<number> {
	let first: Change | undefined;
	await until(
		async () => {
			const changes = await node.ask<readonly Change[]>({ do: kind });
			first = changes.find((change) => change.at >= from && is(change));
			return first !== undefined;
		},
		{ what: `node ${node.name} finds it`, timeoutMs: PATIENCE_MS },
	);
	return (first as Change).at;
}
