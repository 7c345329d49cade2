import { running, viewsOf } from './cluster-node.ts';
import type { ClusterNode } from './cluster-node.ts';
import { ownerOf } from './cluster-view.ts';
import { until } from './until.ts';

const KEYS_AT_ONCE = 100;
const TIMEOUT_MS = 5000;

/**
 * Moves a slot with its keys, as Redis documents it. Meanwhile, clients get ASK and MOVED redirects.
 * See https://redis.io/docs/latest/commands/cluster-setslot/#redis-cluster-live-resharding-explained
 */
export async function migrateSlot(
	slot: number,
	{
		from,
		to,
		nodes,
		password,
	}: { from: ClusterNode; to: ClusterNode; nodes: readonly ClusterNode[]; password?: string },
): Promise<void> {
	const setSlot = (node: ClusterNode, ...args: string[]): Promise<unknown> => {
		return node.command('CLUSTER', 'SETSLOT', String(slot), ...args);
	};
	await setSlot(to, 'IMPORTING', from.id);
	await setSlot(from, 'MIGRATING', to.id);
	await moveKeys(slot, from, to, password);
	// The new owner is told first. It takes a higher epoch, so its claim prevails.
	await setSlot(to, 'NODE', to.id);
	await setSlot(from, 'NODE', to.id);
	await until(async () => (await viewsOf(nodes)).every((view) => ownerOf(view, slot)?.id === to.id), {
		what: `all ${running(nodes).length} running nodes know that slot ${slot} is on ${to.port}`,
		timeoutMs: 10_000,
	});
}

async function moveKeys(slot: number, from: ClusterNode, to: ClusterNode, password?: string): Promise<void> {
	const auth = password === undefined ? [] : ['AUTH', password];
	for (;;) {
		const keys = (await from.command('CLUSTER', 'GETKEYSINSLOT', String(slot), String(KEYS_AT_ONCE))) as string[];
		if (keys.length === 0) return;
		await from.command('MIGRATE', to.host, String(to.port), '', '0', String(TIMEOUT_MS), ...auth, 'KEYS', ...keys);
	}
}
