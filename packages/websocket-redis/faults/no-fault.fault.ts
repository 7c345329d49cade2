import { oneRedis } from './harness/backend.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';

// Verified by mutation testing: if one frame in a thousand is delivered twice, the test fails with duplicates; if
// direct messages are sent to all sockets of a node, with strays; if a beat is mistaken for a jump in the numbers, with
// false alarms and five gap events on one topic.
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
