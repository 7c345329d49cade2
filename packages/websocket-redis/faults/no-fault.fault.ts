import { oneRedis } from './harness/backend.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';

// Verified to catch: one frame in a thousand delivered twice (duplicates); direct messages to all sockets of a node
// (strays); a beat taken for a jump of the numbers (false alarms, five events on one topic).
testFault({
	name: 'no fault for 4 s',
	backend: oneRedis(),
	scenario: TWO_NODES,
	impact: () => 'unaffected',
	mayLoseNothing: true,
	async inject() {
		const from = Date.now();
		await Bun.sleep(4_000);
		return { from, back: Date.now() };
	},
});
