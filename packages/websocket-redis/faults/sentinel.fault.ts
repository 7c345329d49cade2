import { DOUBT_MS } from './harness/doubt.ts';
import { everyNode } from './harness/exposure.ts';
import { demoted, redisSentinel, sentElsewhere } from './harness/redis-sentinel.ts';
import { TWO_NODES } from './harness/stage.ts';
import { testFault } from './harness/test-fault.ts';

// Seen to fail: interruptions not reported (topics without an event, silent losses); five seconds between tries to reconnect (recovery).
const GROUP = { backend: redisSentinel, stage: TWO_NODES, exposure: everyNode, gapSlackMs: DOUBT_MS };

testFault({
	name: 'Sentinel: the master killed',
	...GROUP,
	async inject({ backend: { sentinel } }) {
		const master = await sentinel.primary();
		const from = Date.now();
		await master.kill();
		const back = await sentElsewhere(sentinel, master);
		await sentinel.ready();
		return { from, back };
	},
});

testFault({
	name: 'Sentinel: a failover from a master that is well',
	...GROUP,
	// Sentinels may lead a node back to the old master once more, before they tell it; it then has to move twice.
	gapsPerTopic: 2,
	async inject({ backend: { sentinel } }) {
		const master = await sentinel.primary();
		const from = Date.now();
		// Until it is told, the old master goes on as if nothing had happened, and so may its clients.
		const [back] = await Promise.all([demoted(master), sentinel.failover()]);
		return { from, back };
	},
});
