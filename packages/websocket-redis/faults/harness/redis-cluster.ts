import { type ClusterNode, type RedisCluster, startRedisCluster, until } from '@orijs/testkit';
import type { Exposure } from '../ledger/run.ts';
import type { Backend } from './backend.ts';
import { type Stage, topicsOfMember } from './stage.ts';

/** Channels of a provider that is given no prefix of its own begin so. */
const PREFIX = 'orijs:';

export interface ClusterBackend extends Backend {
	readonly cluster: RedisCluster;
	/** The first three are masters when the run begins. */
	readonly masters: readonly [ClusterNode, ClusterNode, ClusterNode];
	/** Where each topic is when the run begins, as Redis has it. */
	readonly homes: ReadonlyMap<string, Home>;
	/** The slot of a channel of the provider's. */
	slotOf(channel: string): Promise<number>;
}

export interface Home {
	readonly slot: number;
	readonly master: ClusterNode;
}

/** Three masters, which share the topics of this stage, with a replica each. */
export function redisCluster(stage: Stage): () => Promise<ClusterBackend> {
	return async () => {
		const cluster = await startRedisCluster();
		try {
			const connection = { cluster: cluster.nodes.map(({ host, port }) => ({ host, port })) };
			const slotOf = (channel: string): Promise<number> => cluster.slotOf(PREFIX + channel);
			const [first, second, third] = await cluster.primaries();
			if (!first || !second || !third) throw new Error('a cluster of three masters has less');
			const homes = new Map<string, Home>();
			for (const topic of new Set(stage.nodes.flatMap((node) => topicsOfMember(stage, node)))) {
				const slot = await slotOf(topic);
				homes.set(topic, { slot, master: await cluster.primaryOf(slot) });
			}
			return { cluster, masters: [first, second, third], homes, slotOf, connection, stop: () => cluster.stop() };
		} catch (error) {
			await cluster.stop();
			throw error;
		}
	};
}

/**
 * The topics that have such a home lost their subscriptions; those that don't are left in peace, as a fault of one shard is none of the
 * others. By which slots messages to sockets go depends on the sockets' ids: they may be hit or not.
 */
export function homesWhere(
	isHit: (home: Home, backend: ClusterBackend) => boolean,
): (node: string, topic: string, backend: ClusterBackend) => Exposure {
	return (_, topic, backend) => {
		const home = backend.homes.get(topic);
		if (home === undefined) return 'possible';
		return isHit(home, backend) ? 'interrupted' : 'whole';
	};
}

/** As {@link homesWhere}: all topics of the first master. */
export const firstMaster: ReturnType<typeof homesWhere> = homesWhere(
	({ master }, { masters: [first] }) => master === first,
);

/** Resolves with the time at which a replica has taken over from this master, whether or not all nodes know. */
export async function takenOver(cluster: RedisCluster, master: ClusterNode): Promise<number> {
	await until(async () => !(await cluster.primaries()).includes(master), {
		what: `a replica takes over from ${master.port}`,
		timeoutMs: 15_000,
	});
	return Date.now();
}
