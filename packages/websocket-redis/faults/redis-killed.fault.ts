import { oneRedis } from './harness/backend.ts';
import { everyNode } from './harness/impact.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';

// Verified to catch: only 20 topics resubscribed (silent losses, not settled); gaps not held back (two events for one
// outage); five seconds between attempts to reconnect (recovery); a rejection that is not marked as handled (unhandled
// rejections); local delivery only after the bus accepted (losses on the same node).
for (const seconds of [0.2, 3, 16]) {
	testFault({
		name: `Redis killed, back after ${seconds} s`,
		backend: oneRedis(),
		scenario: TWO_NODES,
		impact: everyNode,
		async inject({ backend: { redis } }) {
			const from = Date.now();
			await redis.kill();
			await Bun.sleep(seconds * 1_000);
			await redis.restart();
			return { from, back: Date.now() };
		},
	});
}
