import { oneRedis } from './harness/backend.ts';
import { everyNode } from './harness/impact.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { everyCondition } from './harness/select-conditions.ts';
import { testFault } from './harness/test-fault.ts';

// Verified by mutation testing: if only 20 topics are resubscribed, the tests fail with silent losses, and the nodes do
// not recover; if gaps are not held back, with two events for one outage; if five seconds pass between attempts to
// reconnect, with slow recovery; if a rejection is not marked as handled, with unhandled rejections; if local delivery
// waits for the bus to accept the message, with losses on the same node.
for (const seconds of [0.2, 3, 16]) {
	testFault({
		name: `Redis killed, back after ${seconds} s`,
		backend: oneRedis(),
		scenario: TWO_NODES,
		impact: everyNode,
		unsuited: seconds > 3 ? everyCondition('it is the same fault as the shorter ones') : {},
		async inject({ backend: { redis } }) {
			const from = Date.now();
			await redis.kill();
			await Bun.sleep(seconds * 1_000);
			await redis.restart();
			return { from, back: Date.now() };
		},
	});
}
