import type { ClusterNode } from '@orijs/testkit';
import type { Fault, Outage } from './harness/fault.ts';
import { type ClusterBackend, homesWhere, redisCluster } from './harness/redis-cluster.ts';
import { TWO_NODES } from './harness/stage.ts';
import { testFault } from './harness/test-fault.ts';

const MOVED = 'shared:0';

function testSlot(fault: Pick<Fault<ClusterBackend>, 'name' | 'inject' | 'exposure' | 'mayLoseNothing'>): void {
	testFault({ backend: redisCluster(TWO_NODES), stage: TWO_NODES, ...fault });
}

async function move(slot: number, { cluster, masters }: ClusterBackend): Promise<Outage> {
	const owner = await cluster.masterOf(slot);
	const other = masters.find((master) => master !== owner) as ClusterNode;
	const from = Date.now();
	await cluster.moveSlot(slot, owner, other);
	return { from, back: Date.now() };
}

testSlot({
	name: "cluster: a topic's slot moves",
	exposure: homesWhere(({ slot }, { homes }) => slot === homes.get(MOVED)?.slot),
	inject: async ({ backend }) => move(await backend.slotOf(MOVED), backend),
});

// The nodes beat on one channel for each master, the first that is there by its slot. That has to be another one now.
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
			found.add(await cluster.masterOf(slot));
		}
		const outage = await move(slot, backend);
		await Bun.sleep(3_000);
		return outage;
	},
});
