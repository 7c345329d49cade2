import { formCluster } from './cluster-formation.ts';
import { running, startClusterNode, viewsOf } from './cluster-node.ts';
import type { ClusterNode } from './cluster-node.ts';
import { reasonNotReady } from './cluster-readiness.ts';
import { describeRoles, newest, ownerOf } from './cluster-view.ts';
import type { ClusterView } from './cluster-view.ts';
import { migrateSlot } from './slot-migration.ts';
import { startAll, stopAll } from './start-all.ts';
import { until } from './until.ts';

export interface ClusterOptions {
	/** Default 3, the least with which the others can replace one. */
	primaries?: number;
	/** For each primary; default 1. */
	replicas?: number;
	/** More `redis-server` arguments for every node; they win over ours. */
	args?: readonly string[];
	/**
	 * Milliseconds of silence after which a node counts as down; default 1500. Its replica takes over one to two seconds
	 * later. Much less, and a busy machine makes failovers of its own.
	 */
	nodeTimeoutMs?: number;
	/** Of every node. */
	password?: string;
}

/** A real Redis Cluster. Its nodes are servers like any other: kill, freeze and restart them one by one. */
export interface RedisCluster {
	/** First those that were primaries at the start, then their replicas in turn. `{ host, port }` for a client's list. */
	readonly nodes: readonly ClusterNode[];
	/** Those that own slots now; one that is down stays until a replica took over. */
	primaries(): Promise<ClusterNode[]>;
	/** Those it has now, down or not. */
	replicasOf(node: ClusterNode): Promise<ClusterNode[]>;
	/** Who owns a slot, or the slot of a key or sharded channel. */
	primaryOf(slotOrKey: number | string): Promise<ClusterNode>;
	slotOf(key: string): Promise<number>;
	/**
	 * Makes a replica primary (CLUSTER FAILOVER): by agreement with its primary; `force`, without it, by vote; `takeover`,
	 * without either. Resolves when all nodes that run know.
	 */
	failover(replica: ClusterNode, how?: 'force' | 'takeover'): Promise<void>;
	/** Between primaries, with its keys. Resolves when all nodes that run know. */
	moveSlot(slot: number, from: ClusterNode, to: ClusterNode): Promise<void>;
	/**
	 * Resolves when all nodes that run say `cluster_state:ok`, see each other, agree on who owns what, all slots are with
	 * nodes that run, and all replicas are in sync. So, right after a kill: when the failover is done. Rejects after
	 * `timeoutMs` (default 15000) with what was missing.
	 */
	ready(timeoutMs?: number): Promise<void>;
	stop(): Promise<void>;
}

/** Resolves when it is ready; a few seconds, as a node does not serve within its first two. */
export async function startRedisCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
	const { primaries = 3, replicas = 1, args = [], nodeTimeoutMs = 1500, password } = options;
	const nodeOptions = {
		args: [...settings(nodeTimeoutMs), ...args],
		...(password !== undefined && { password }),
	};
	const count = primaries * (1 + replicas);
	const nodes = await startAll(Array.from({ length: count }, () => startClusterNode(nodeOptions)));
	const cluster = clusterOf(nodes, password);
	try {
		await formCluster(nodes, primaries);
		await cluster.ready();
		return cluster;
	} catch (error) {
		await cluster.stop();
		throw error;
	}
}

function settings(nodeTimeoutMs: number): string[] {
	const values = {
		'cluster-node-timeout': String(nodeTimeoutMs),
		// Roles and primaries change when the test says so, or by a failover.
		'cluster-allow-replica-migration': 'no',
		// A replica may always take over, however long it has not heard of its primary.
		'cluster-replica-validity-factor': '0',
	};
	return Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]);
}

function clusterOf(nodes: readonly ClusterNode[], password: string | undefined): RedisCluster {
	const view = async (): Promise<ClusterView> => {
		const latest = newest(await viewsOf(nodes));
		if (!latest) throw new Error(`no node of the cluster answers: ${describeStates(nodes)}`);
		return latest;
	};

	const slotOf = async (key: string): Promise<number> => {
		const [node] = running(nodes);
		if (!node) throw new Error(`no node of the cluster runs: ${describeStates(nodes)}`);
		return Number(await node.command('CLUSTER', 'KEYSLOT', key));
	};

	return {
		nodes,
		slotOf,
		async primaries() {
			const owners = (await view()).filter(({ slots }) => slots.length > 0);
			return nodes.filter(({ id }) => owners.some((owner) => owner.id === id));
		},
		async replicasOf(primary) {
			const replicas = (await view()).filter(({ primaryId }) => primaryId === primary.id);
			return nodes.filter(({ id }) => replicas.some((replica) => replica.id === id));
		},
		async primaryOf(slotOrKey) {
			const slot = typeof slotOrKey === 'number' ? slotOrKey : await slotOf(slotOrKey);
			const owner = ownerOf(await view(), slot);
			const node = nodes.find(({ id }) => id === owner?.id);
			if (!node) throw new Error(`slot ${slot} has no primary`);
			return node;
		},
		async failover(replica, how) {
			await replica.command('CLUSTER', 'FAILOVER', ...(how ? [how.toUpperCase()] : []));
			await until(async () => isPrimaryForAll(await viewsOf(nodes), replica.id), {
				what: () => `all running nodes know ${replica.port} as a primary and agree on the rest\n${replica.log()}`,
				timeoutMs: 10_000,
			});
		},
		moveSlot: (slot, from, to) => migrateSlot(slot, { from, to, nodes, ...(password !== undefined && { password }) }),
		async ready(timeoutMs = 15_000) {
			let missing: string | undefined;
			await until(async () => (missing = await reasonNotReady(nodes)) === undefined, {
				what: () => `the cluster is ready; last, ${missing}`,
				timeoutMs,
			});
		},
		stop: () => stopAll(nodes),
	};
}

/** The old primary too, if it runs: so it then follows. */
function isPrimaryForAll(views: readonly ClusterView[], id: string): boolean {
	const owns = (view: ClusterView): boolean => view.some((node) => node.id === id && node.slots.length > 0);
	const ids = views.flatMap((view) => view.filter(({ flags }) => flags.has('myself')).map((node) => node.id));
	return views.every(owns) && new Set(views.map((view) => describeRoles(view, ids))).size === 1;
}

function describeStates(nodes: readonly ClusterNode[]): string {
	return nodes.map(({ port, state }) => `${port} is ${state}`).join(', ');
}
