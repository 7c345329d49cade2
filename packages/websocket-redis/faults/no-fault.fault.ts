import { oneRedis } from './harness/backend.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';

// Checked by delivering one frame in a thousand twice: the test then fails on duplicates; by sending direct messages to
// all sockets of a node: strays; by taking a beat for a jump of the numbers: false alarms, five events on one topic.
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
