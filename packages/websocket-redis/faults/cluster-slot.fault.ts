import type { ClusterNode } from '@orijs/testkit';
import type { Fault } from './harness/fault.ts';
import type { Outage } from './harness/outage.ts';
import { type ClusterBackend, topicsWhere, redisCluster } from './harness/redis-cluster.ts';
import { type Scenario, TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';

/** About a hundred messages per second on each topic. */
const LOADED: Scenario = { ...TWO_NODES, messages: 3_000 };

function testSlot(
	fault: Pick<Fault<ClusterBackend>, 'name' | 'inject' | 'impact' | 'mayLoseNothing' | 'fullRunsOnly' | 'falseAlarms'>,
): void {
	testFault({ backend: redisCluster(LOADED), scenario: LOADED, ...fault });
}

async function move(slot: number, { cluster, primaries }: ClusterBackend): Promise<Outage> {
	const owner = await cluster.primaryOf(slot);
	const other = primaries.find((primary) => primary !== owner) as ClusterNode;
	const from = Date.now();
	await cluster.moveSlot(slot, owner, other);
	return { from, back: Date.now() };
}

function testTopic(name: string, moved: string, fullRunsOnly = false): void {
	testSlot({
		name,
		fullRunsOnly,
		impact: topicsWhere(({ slot }, { placements }) => slot === placements.get(moved)?.slot),
		inject: async ({ backend }) => move(await backend.slotOf(moved), backend),
	});
}

// The old primary refuses messages on the topic; the node that publishes them then polls the topology at once.
// Verified by mutation testing: if moved topics are not resubscribed, the test fails with silent losses and slow
// recovery, and the nodes do not recover; if refused messages are sent to the new primary later, with inversions; if
// every topic is reported, with false alarms.
testTopic('cluster: the slot of a topic moves', 'shared:0');

// Node b only subscribes, so it notices the move at its next poll, and misses the messages accepted until then.
// Verified by mutation testing: if no gap is reported for moved topics, the test fails with silent losses and a missing
// gap event.
testTopic('cluster: the slot of a topic with one publisher moves', 'from-a:0', true);

// The heartbeat channel of a primary is the first one whose slot it serves, so the old owner must get another one.
// Verified by mutation testing: if the nodes do not subscribe to that channel, the test fails with false alarms, losses
// and slow recovery.
testSlot({
	name: 'cluster: the slot of a heartbeat channel moves',
	fullRunsOnly: true,
	impact: topicsWhere(() => false),
	mayLoseNothing: true,
	falseAlarms: {
		delayed: 'a node that notices the move later than the others misses their first beats on the new channel',
	},
	async inject({ backend }) {
		const { cluster, primaries } = backend;
		const found = new Set<ClusterNode>();
		let slot = 0;
		for (let i = 0; found.size < primaries.length; i++) {
			slot = await backend.slotOf(`!${i}`);
			found.add(await cluster.primaryOf(slot));
		}
		const outage = await move(slot, backend);
		await Bun.sleep(3_000);
		return outage;
	},
});
