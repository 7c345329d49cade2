import { oneRedis } from './harness/backend.ts';
import { TWO_NODES } from './harness/stage.ts';
import { testFault } from './harness/test-fault.ts';

// Long enough to be taken for dead, which is no mistake as long as it is said: losing nothing is fine, too.
// Seen to fail: local delivery once the bus has answered, well or not (1,238 ms to reach a client of the same node).
testFault({
	name: 'Redis busy for 2 s',
	backend: oneRedis('--enable-debug-command', 'yes'),
	stage: TWO_NODES,
	exposure: () => 'possible',
	mayLoseNothing: true,
	async inject({ backend: { redis } }) {
		const from = Date.now();
		await redis.command('DEBUG', 'SLEEP', '2');
		return { from, back: Date.now() };
	},
});
