import type { ClusterNode, RedisCluster } from '@orijs/testkit';
import type { Backend } from '../harness/backend.ts';
import { takenOver } from '../harness/redis-cluster.ts';
import { pick } from '../history/random.ts';
import { awayWhile, type Disturbance } from './disturb.ts';
import { TOPICS } from './protocol.ts';

export interface PresenceCluster extends Backend {
	readonly cluster: RedisCluster;
}

/** What breaks in a Redis Cluster whose primaries have a replica each. */
export const OF_CLUSTER: Readonly<Record<string, Disturbance<PresenceCluster>>> = {
	'a primary killed, its replica takes over': (deployment) =>
		awayWhile(
			deployment,
			async () => {
				const { cluster } = deployment.backend;
				const primary = pick(await cluster.primaries());
				await primary.kill();
				await takenOver(cluster, primary);
				await cluster.ready();
				await primary.restart();
				await cluster.ready();
				// What the replica had not received is lost.
			},
			true,
		),
	'the slot of a topic moved': (deployment) =>
		awayWhile(deployment, async () => {
			const { cluster } = deployment.backend;
			const slot = await slotOf(cluster, pick(TOPICS));
			const owner = await cluster.primaryOf(slot);
			const other = (await cluster.primaries()).find((primary) => primary !== owner) as ClusterNode;
			await cluster.moveSlot(slot, owner, other);
		}),
	'a primary flushed': (deployment) =>
		awayWhile(
			deployment,
			async () => {
				await pick(await deployment.backend.cluster.primaries()).command('FLUSHALL');
			},
			true,
		),
};

/** Returns the slot of what is kept of a topic. */
function slotOf(cluster: RedisCluster, topic: string): Promise<number> {
	return cluster.slotOf(`orijs:${topic}`);
}
