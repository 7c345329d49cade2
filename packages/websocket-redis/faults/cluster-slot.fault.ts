import type { ClusterNode } from '@orijs/testkit';
import type { Fault, Outage } from './harness/fault.ts';
import { type ClusterBackend, homesWhere, redisCluster } from './harness/redis-cluster.ts';
import { type Stage, TWO_NODES } from './harness/stage.ts';
import { testFault } from './harness/test-fault.ts';

/** A topic is spoken on about a hundred times a second. */
const LOADED: Stage = { ...TWO_NODES, messages: 3_000 };

function testSlot(fault: Pick<Fault<ClusterBackend>, 'name' | 'inject' | 'exposure' | 'mayLoseNothing'>): void {
	testFault({ backend: redisCluster(LOADED), stage: LOADED, ...fault });
}

async function move(slot: number, { cluster, masters }: ClusterBackend): Promise<Outage> {
	const owner = await cluster.primaryOf(slot);
	const other = masters.find((master) => master !== owner) as ClusterNode;
	const from = Date.now();
	await cluster.moveSlot(slot, owner, other);
	return { from, back: Date.now() };
}

function testTopic(name: string, moved: string): void {
	testSlot({
		name,
		exposure: homesWhere(({ slot }, { homes }) => slot === homes.get(moved)?.slot),
		inject: async ({ backend }) => move(await backend.slotOf(moved), backend),
	});
}

// A node that publishes on the topic is refused by the old master, and asks who has the slot.
// Seen to fail: moved topics not subscribed again (silent losses, recovery, no quiet); what was refused sent to the new master later
// (inversions); every topic reported (false alarms).
testTopic("cluster: a topic's slot moves", 'shared:0');

// Node b only listens: it learns of it when it asks the next time, and what was accepted meanwhile is lost to it.
// Seen to fail: no gap for moved topics (silent losses, a topic without an event).
testTopic("cluster: a listener's slot moves", 'from-a:0');

// The nodes beat on one channel for each master, the first that is there by its slot. That has to be another one now.
// Seen to fail: nobody listens on the channel that the old owner is shown alive by now (false alarms, losses, recovery).
testSlot({
	name: 'cluster: the slot of a heartbeat moves',
	exposure: homesWhere(() => false),
	mayLoseNothing: true,
	async inject({ backend }) {
		const { cluster, masters } = backend;
		const found = new Set<ClusterNode>();
		let slot = 0;
		for (let i = 0; found.size < masters.length; i++) {
			slot = await backend.slotOf(`!${i}`);
			found.add(await cluster.primaryOf(slot));
		}
		const outage = await move(slot, backend);
		await Bun.sleep(3_000);
		return outage;
	},
});
