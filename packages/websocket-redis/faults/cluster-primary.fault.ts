import type { Fault } from './harness/fault.ts';
import { type ClusterBackend, topicsOfFirstPrimary, redisCluster, takenOver } from './harness/redis-cluster.ts';
import { VERIFICATION_LAG_MS } from './harness/verification-lag.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';

/**
 * Tests a fault of one of three primaries. The topics of the other two must not be affected.
 *
 * Verified by mutation testing: if moved topics are not resubscribed, the tests fail with silent losses and slow
 * recovery, and the nodes do not recover; if gaps of moved topics are not reported, with silent losses and missing gap
 * events; if every topic is reported when only some moved, with false alarms.
 */
function testPrimary(fault: Pick<Fault<ClusterBackend>, 'name' | 'inject' | 'gapSlackMs' | 'fullRunsOnly'>): void {
	testFault({
		backend: redisCluster(TWO_NODES),
		scenario: TWO_NODES,
		impact: topicsOfFirstPrimary,
		...fault,
	});
}

testPrimary({
	name: 'cluster: a primary killed, its replica takes over',
	gapSlackMs: VERIFICATION_LAG_MS,
	async inject({ backend: { cluster, primaries } }) {
		const from = Date.now();
		await primaries[0].kill();
		const back = await takenOver(cluster, primaries[0]);
		await cluster.ready();
		return { from, back };
	},
});

testPrimary({
	name: 'cluster: a primary killed, back as a replica',
	fullRunsOnly: true,
	gapSlackMs: VERIFICATION_LAG_MS,
	async inject({ backend: { cluster, primaries } }) {
		const from = Date.now();
		await primaries[0].kill();
		const back = await takenOver(cluster, primaries[0]);
		await cluster.ready();
		await primaries[0].restart();
		await cluster.ready();
		return { from, back };
	},
});

// The outage is too short for the other nodes to start a failover.
testPrimary({
	name: 'cluster: a primary killed, back at once',
	fullRunsOnly: true,
	async inject({ backend: { cluster, primaries } }) {
		const from = Date.now();
		await primaries[0].kill();
		await primaries[0].restart();
		await cluster.ready();
		return { from, back: Date.now() };
	},
});

// Once it continues, the old primary still considers itself a primary, and delivers messages that it received before.
// No client may get them.
// Verified by mutation testing: if the new primary's shard gets a new number, the test fails with inversions.
testPrimary({
	name: 'cluster: a primary frozen, its replica takes over',
	fullRunsOnly: true,
	gapSlackMs: VERIFICATION_LAG_MS,
	async inject({ backend: { cluster, primaries } }) {
		const from = Date.now();
		primaries[0].freeze();
		const back = await takenOver(cluster, primaries[0]);
		await Bun.sleep(2_000);
		primaries[0].thaw();
		await cluster.ready();
		return { from, back };
	},
});

testPrimary({
	name: 'cluster: a manual failover to a replica',
	fullRunsOnly: true,
	gapSlackMs: VERIFICATION_LAG_MS,
	async inject({ backend: { cluster, primaries } }) {
		const [replica] = await cluster.replicasOf(primaries[0]);
		if (replica === undefined) throw new Error('the primary has no replica');
		const from = Date.now();
		const [back] = await Promise.all([takenOver(cluster, primaries[0]), cluster.failover(replica)]);
		await cluster.ready();
		return { from, back };
	},
});
