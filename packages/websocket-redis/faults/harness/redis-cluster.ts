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
	/** The slot and primary of each topic at the start of the run. */
	readonly placements: ReadonlyMap<string, Placement>;
	/** Returns the slot of one of the provider's channels. */
	slotOf(channel: string): Promise<number>;
}

export interface Placement {
	readonly slot: number;
	readonly primary: ClusterNode;
}

/** Returns a function that starts three primaries, which share the topics of a scenario, each with a replica. */
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
 * Returns an impact in which the topics with these placements lost their subscriptions. All other topics must lose
 * nothing, because a fault of one shard must not affect the others. Messages to sockets may be affected: their slots
 * depend on the ids of the sockets.
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

/** Like {@link topicsWhere}, for all topics of the first primary. */
export const topicsOfFirstPrimary: ReturnType<typeof topicsWhere> = topicsWhere(
	({ primary }, { primaries: [first] }) => primary === first,
);

/** Resolves when a replica has taken over from this primary, with the time. Some nodes may not know of it yet. */
export async function takenOver(cluster: RedisCluster, primary: ClusterNode): Promise<number> {
	await until(async () => !(await cluster.primaries()).includes(primary), {
		what: `a replica takes over from ${primary.port}`,
		timeoutMs: 15_000,
	});
	return Date.now();
}
