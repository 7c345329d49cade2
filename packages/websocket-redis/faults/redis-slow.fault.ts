import { oneRedis } from './harness/backend.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';

// Long enough for the nodes to consider Redis dead, which is right if they report it; losing nothing is right as well.
// Checked by delivering locally only after the bus has accepted or rejected: the test then fails, as messages take
// 1,238 ms to reach a client of the same node.
testFault({
	name: 'Redis busy for 2 s',
	backend: oneRedis('--enable-debug-command', 'yes'),
	scenario: TWO_NODES,
	impact: () => 'possible',
	mayLoseNothing: true,
	async inject({ backend: { redis } }) {
		const from = Date.now();
		await redis.command('DEBUG', 'SLEEP', '2');
		return { from, back: Date.now() };
	},
});
