import { VERIFICATION_LAG_MS } from './harness/verification-lag.ts';
import { everyNode } from './harness/impact.ts';
import { demoted, redisSentinel, failedOver } from './harness/redis-sentinel.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';

// Verified by mutation testing: if interruptions are not reported, the tests fail with missing gap events and silent
// losses; if five seconds pass between attempts to reconnect, with slow recovery.
const GROUP = { backend: redisSentinel, scenario: TWO_NODES, impact: everyNode, gapSlackMs: VERIFICATION_LAG_MS };

testFault({
	name: 'Sentinel: the primary killed',
	...GROUP,
	async inject({ backend: { sentinel } }) {
		const primary = await sentinel.primary();
		const from = Date.now();
		await primary.kill();
		const back = await failedOver(sentinel, primary);
		await sentinel.ready();
		return { from, back };
	},
});

testFault({
	name: 'Sentinel: a failover from a healthy primary',
	...GROUP,
	// Sentinels may lead a node back to the old primary before they demote it; the node then moves twice.
	gapsPerTopic: 2,
	async inject({ backend: { sentinel } }) {
		const primary = await sentinel.primary();
		const from = Date.now();
		// Until it is demoted, the old primary continues as before, and its clients may stay connected.
		const [back] = await Promise.all([demoted(primary), sentinel.failover()]);
		return { from, back };
	},
});
