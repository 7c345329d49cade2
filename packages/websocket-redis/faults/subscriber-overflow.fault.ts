import { until } from '@orijs/testkit';
import { oneRedis } from './harness/backend.ts';
import { onlyNode } from './harness/exposure.ts';
import { exactlyOne, subscriberLinks } from './harness/links.ts';
import { TWO_NODES } from './harness/stage.ts';
import { testFault } from './harness/test-fault.ts';

// Redis drops a subscriber that reads too slowly, with all that waits for it. What it had sent before still arrives.
// Seen to fail: a gap that begins 5 ms before the connection is back (silent losses).
testFault({
	name: "a subscriber's output buffer overflows",
	backend: oneRedis('--client-output-buffer-limit', 'pubsub 1mb 0 0'),
	stage: { ...TWO_NODES, proxied: ['b'] },
	exposure: onlyNode('b'),
	async inject(world) {
		const { redis } = world.backend;
		const [a] = world.nodes;
		const from = Date.now();
		exactlyOne(world.proxy('b').freeze(subscriberLinks, { direction: 'toClient' }));
		// More than the limit and all buffers of the system on the way. On a topic that a is not in, or it would hear it as well.
		await a?.ask({ do: 'burst', topic: 'room-b:0', count: 500, bytes: 64 * 1_024 });
		await until(() => redis.log().includes('overcoming of output buffer limits'), {
			what: 'Redis drops the subscriber',
		});
		world.proxy('b').thaw();
		return { from, back: Date.now() };
	},
});
