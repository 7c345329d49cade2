import { oneRedis } from './harness/backend.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { everyCondition } from './harness/select-conditions.ts';
import { testFault } from './harness/test-fault.ts';

// Connections stay open, the operating system accepts new ones, but Redis does not reply. Once it continues, it
// publishes the messages that the nodes sent before they noticed, which must not arrive after newer ones.
// Verified by mutation testing: if no gap notice is sent for messages that could not be published, the tests fail with
// silent losses.
for (const seconds of [3, 8]) {
	testFault({
		name: `Redis frozen for ${seconds} s`,
		backend: oneRedis(),
		scenario: TWO_NODES,
		// The subscriptions may survive; messages that could not be published are lost.
		impact: () => 'possible',
		unsuited: seconds > 3 ? everyCondition('it is the same fault as the shorter one') : {},
		async inject({ backend: { redis } }) {
			const from = Date.now();
			redis.freeze();
			await Bun.sleep(seconds * 1_000);
			redis.thaw();
			return { from, back: Date.now() };
		},
	});
}
