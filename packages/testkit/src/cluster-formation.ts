import { viewOf } from './cluster-node.ts';
import type { ClusterNode } from './cluster-node.ts';
import type { ClusterView } from './cluster-view.ts';
import { until } from './until.ts';

export const SLOTS = 16_384;

/**
 * Forms a cluster from new nodes. The first `primaryCount` nodes share the slots; the others become their replicas, in
 * turn.
 */
export async function formCluster(nodes: readonly ClusterNode[], primaryCount: number): Promise<void> {
	const primaries = nodes.slice(0, primaryCount);
	// If the nodes had equal epochs, they would first have to resolve the collisions one after another.
	await Promise.all(nodes.map((node, index) => node.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))));
	await Promise.all(primaries.map((primary, index) => assignSlots(primary, index, primaryCount)));
	await introduceAll(nodes);
	await Promise.all(
		nodes.slice(primaryCount).map((replica, index) => {
			return replica.command('CLUSTER', 'REPLICATE', primaries[index % primaryCount]?.id ?? '');
		}),
	);
}

async function assignSlots(primary: ClusterNode, index: number, primaryCount: number): Promise<void> {
	const first = Math.floor((index * SLOTS) / primaryCount);
	const last = Math.floor(((index + 1) * SLOTS) / primaryCount) - 1;
	await primary.command('CLUSTER', 'ADDSLOTSRANGE', String(first), String(last));
}

/** Introduces every node to every other node, because gossip alone would take seconds to spread. */
async function introduceAll(nodes: readonly ClusterNode[]): Promise<void> {
	const busPorts = await Promise.all(
		nodes.map(async (node) => {
			const [myself] = await viewOf(node);
			return String(myself?.busPort);
		}),
	);
	await Promise.all(
		nodes.flatMap((node, index) =>
			nodes.slice(index + 1).map(({ host, port }, offset) => {
				return node.command('CLUSTER', 'MEET', host, String(port), busPorts[index + 1 + offset] ?? '');
			}),
		),
	);
	const knowsAll = (view: ClusterView): boolean => {
		return nodes.every(({ id }) => view.some((node) => node.id === id && !node.flags.has('handshake')));
	};
	await until(async () => (await Promise.all(nodes.map(viewOf))).every(knowsAll), {
		what: 'every node of the cluster knows every other',
		timeoutMs: 10_000,
	});
}
