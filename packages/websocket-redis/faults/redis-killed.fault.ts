import { oneRedis } from './harness/backend.ts';
import { everyNode } from './harness/exposure.ts';
import { TWO_NODES } from './harness/stage.ts';
import { testFault } from './harness/test-fault.ts';

// Seen to fail: only 20 topics subscribed again (silent losses, no quiet); gaps not held back (two events for one outage); five
// seconds between tries to reconnect (recovery); a publish promise that is not kept quiet (unhandled rejections); local delivery
// after the bus has accepted (losses on the same node).
for (const seconds of [0.2, 3, 16]) {
	testFault({
		name: `Redis killed, back after ${seconds} s`,
		backend: oneRedis(),
		stage: TWO_NODES,
		exposure: everyNode,
		async inject({ backend: { redis } }) {
			const from = Date.now();
			await redis.kill();
			await Bun.sleep(seconds * 1_000);
			await redis.restart();
			return { from, back: Date.now() };
		},
	});
}
