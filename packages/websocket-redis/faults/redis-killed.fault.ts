import { oneRedis } from './harness/backend.ts';
import { everyNode } from './harness/impact.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { everyCondition } from './harness/select-conditions.ts';
import { testFault } from './harness/test-fault.ts';

// Checked by resubscribing only 20 topics: the tests then fail on silent losses, and the nodes do not recover; by not
// holding gaps back: two events for one outage; by waiting five seconds between attempts to reconnect: recovery time;
// by not marking a rejection as handled: unhandled rejections; by delivering locally only after the bus has accepted:
// losses on the same node.
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
