import { oneRedis } from './harness/backend.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';

// Redis is busy for long enough that nodes may consider it dead and report a loss. Losing nothing is correct as well.
// Verified by mutation testing: if local delivery waits for the bus to accept or reject the message, the test fails,
// because messages take 1,238 ms to reach a client of the same node.
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
