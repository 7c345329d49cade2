import { oneRedis } from './harness/backend.ts';
import { TWO_NODES } from './harness/stage.ts';
import { testFault } from './harness/test-fault.ts';

// Connections stay open, the system goes on accepting new ones, nothing is answered. What the nodes wrote until they noticed is
// carried out when Redis goes on: after that it must not arrive behind newer messages.
// Seen to fail: what could not be published is not announced (silent losses).
for (const seconds of [3, 8]) {
	testFault({
		name: `Redis frozen for ${seconds} s`,
		backend: oneRedis(),
		stage: TWO_NODES,
		// The subscriptions may well outlive it; what could not be published is lost.
		exposure: () => 'possible',
		async inject({ backend: { redis } }) {
			const from = Date.now();
			redis.freeze();
			await Bun.sleep(seconds * 1_000);
			redis.thaw();
			return { from, back: Date.now() };
		},
	});
}
