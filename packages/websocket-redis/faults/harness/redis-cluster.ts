import { type ClusterNode, type RedisCluster, startRedisCluster, until } from '@orijs/testkit';
import type { Impact } from '../counting/run.ts';
import type { Backend, StartBackend } from './backend.ts';
import { type Scenario, topicsOfSubscriber } from './scenario.ts';

/** The default prefix of a provider's channels. */
const PREFIX = 'orijs:';

export interface ClusterBackend extends Backend {
	readonly cluster: RedisCluster;
	/** The three primaries at the start of the run. */
	readonly primaries: readonly [ClusterNode, ClusterNode, ClusterNode];
	/** Where Redis places each topic at the start of the run. */
	readonly placements: ReadonlyMap<string, Placement>;
	/** The slot of one of the provider's channels. */
	slotOf(channel: string): Promise<number>;
}

export interface Placement {
	readonly slot: number;
	readonly primary: ClusterNode;
}

/** Three primaries that share the topics of a scenario, with a replica each. */
export function redisCluster(scenario: Scenario): StartBackend<ClusterBackend> {
	return async (env) => {
		const cluster = await startRedisCluster({ env });
		try {
			const connection = { cluster: cluster.nodes.map(({ host, port }) => ({ host, port })) };
			const slotOf = (channel: string): Promise<number> => cluster.slotOf(PREFIX + channel);
			const [first, second, third] = await cluster.primaries();
			if (!first || !second || !third) throw new Error('the cluster has fewer than three primaries');
			const placements = new Map<string, Placement>();
			for (const topic of new Set(scenario.nodes.flatMap((node) => topicsOfSubscriber(scenario, node)))) {
				const slot = await slotOf(topic);
				placements.set(topic, { slot, primary: await cluster.primaryOf(slot) });
			}
			return {
				cluster,
				primaries: [first, second, third],
				placements,
				slotOf,
				connection,
				ports: cluster.nodes.map(({ port }) => port),
				stop: () => cluster.stop(),
			};
		} catch (error) {
			await cluster.stop();
			throw error;
		}
	};
}

/**
 * The topics at these placements lost their subscriptions; all others must lose nothing, as a fault of one shard must
 * not affect the others. The slots of messages to sockets depend on the sockets' ids: they may be affected.
 */
export function topicsWhere(
	isAffected: (placement: Placement, backend: ClusterBackend) => boolean,
): (node: string, topic: string, backend: ClusterBackend) => Impact {
	return (_, topic, backend) => {
		const placement = backend.placements.get(topic);
		if (placement === undefined) return 'possible';
		return isAffected(placement, backend) ? 'interrupted' : 'lossless';
	};
}

/** As {@link topicsWhere}: all topics of the first primary. */
export const topicsOfFirstPrimary: ReturnType<typeof topicsWhere> = topicsWhere(
	({ primary }, { primaries: [first] }) => primary === first,
);

/** Resolves with the time at which a replica has taken over from this primary, before all nodes know. */
export async function takenOver(cluster: RedisCluster, primary: ClusterNode): Promise<number> {
	await until(async () => !(await cluster.primaries()).includes(primary), {
		what: `a replica takes over from ${primary.port}`,
		timeoutMs: 15_000,
	});
	return Date.now();
}
