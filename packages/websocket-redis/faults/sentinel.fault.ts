import { everyNode } from './harness/exposure.ts';
import { redisSentinel, sentElsewhere } from './harness/redis-sentinel.ts';
import { TWO_NODES } from './harness/stage.ts';
import { testFault } from './harness/test-fault.ts';

const GROUP = { backend: redisSentinel, stage: TWO_NODES, exposure: everyNode };

testFault({
	name: 'Sentinel: the master killed',
	...GROUP,
	async inject({ backend: { sentinel } }) {
		const master = await sentinel.master();
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
	async inject({ backend: { sentinel } }) {
		const master = await sentinel.master();
		const from = Date.now();
		const [back] = await Promise.all([sentElsewhere(sentinel, master), sentinel.failover()]);
		return { from, back };
	},
});
