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
	/**
	 * The number of primaries. Default 3, the minimum for a failover: a majority of all primaries must still be running.
	 */
	primaries?: number;
	/** The number of replicas per primary. Default 1. */
	replicas?: number;
	/** Further `redis-server` arguments for every node, which override the defaults. */
	args?: readonly string[];
	/** Added to the environment of every node's process. */
	env?: Record<string, string>;
	/**
	 * How long a node must be silent to count as down, in milliseconds. Default 1500. Its replica takes over one to two
	 * seconds later. A much lower value causes spurious failovers on a busy machine.
	 */
	nodeTimeoutMs?: number;
	/** The password that every node requires. */
	password?: string;
}

/** A real Redis Cluster. Each node is a `RedisServer` that can be killed, frozen and restarted. */
export interface RedisCluster {
	/** All nodes: first the initial primaries, then the replicas of each in turn. */
	readonly nodes: readonly ClusterNode[];
	/** Resolves with the nodes that own slots. A node that is down is included until a replica has taken over. */
	primaries(): Promise<ClusterNode[]>;
	/** Resolves with a node's current replicas, including those that are down. */
	replicasOf(node: ClusterNode): Promise<ClusterNode[]>;
	/** Resolves with the owner of a slot, or of the slot of a key or sharded channel. */
	primaryOf(slotOrKey: number | string): Promise<ClusterNode>;
	slotOf(key: string): Promise<number>;
	/**
	 * Promotes a replica with CLUSTER FAILOVER. By default, the failover is coordinated with the replica's primary. With
	 * `force`, it needs only a vote of the primaries. With `takeover`, it needs neither. Resolves when all running nodes
	 * know about it.
	 */
	failover(replica: ClusterNode, how?: 'force' | 'takeover'): Promise<void>;
	/** Moves a slot with its keys to another primary. Resolves when all running nodes know about it. */
	moveSlot(slot: number, from: ClusterNode, to: ClusterNode): Promise<void>;
	/**
	 * Resolves when all running nodes report `cluster_state:ok`, see each other, agree on the owner of each slot and
	 * together own all slots, and when all replicas are in sync. After a kill, this means that the failover is complete.
	 * Rejects after `timeoutMs` (default 15000) with the reason.
	 */
	ready(timeoutMs?: number): Promise<void>;
	stop(): Promise<void>;
}

/**
 * Starts a cluster. Resolves when it is ready, which takes a few seconds: a node does not serve clients for its first
 * two seconds.
 */
export async function startRedisCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
	const { primaries = 3, replicas = 1, args = [], env = {}, nodeTimeoutMs = 1500, password } = options;
	const nodeOptions = {
		args: [...settings(nodeTimeoutMs), ...args],
		env,
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
		// Replicas may change their primary only in a failover, or when the test requests it.
		'cluster-allow-replica-migration': 'no',
		// A replica may always take over, no matter how long ago it lost contact with its primary.
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
		if (!node) throw new Error(`no node of the cluster is running: ${describeStates(nodes)}`);
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
				what: () => `all running nodes know that ${replica.port} is a primary and agree on the rest\n${replica.log()}`,
				timeoutMs: 10_000,
			});
		},
		moveSlot: (slot, from, to) => migrateSlot(slot, { from, to, nodes, ...(password !== undefined && { password }) }),
		async ready(timeoutMs = 15_000) {
			let reason: string | undefined;
			await until(async () => (reason = await reasonNotReady(nodes)) === undefined, {
				what: () => `the cluster is ready: ${reason}`,
				timeoutMs,
			});
		},
		stop: () => stopAll(nodes),
	};
}

/**
 * Returns whether all views show the node as a primary and agree on all other roles. If the old primary is running, its
 * view counts as well: it must know that it is a replica now.
 */
function isPrimaryForAll(views: readonly ClusterView[], id: string): boolean {
	const owns = (view: ClusterView): boolean => view.some((node) => node.id === id && node.slots.length > 0);
	const ids = views.flatMap((view) => view.filter(({ flags }) => flags.has('myself')).map((node) => node.id));
	return views.every(owns) && new Set(views.map((view) => describeRoles(view, ids))).size === 1;
}

function describeStates(nodes: readonly ClusterNode[]): string {
	return nodes.map(({ port, state }) => `${port} is ${state}`).join(', ');
}
