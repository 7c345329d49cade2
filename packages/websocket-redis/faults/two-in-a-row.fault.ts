import { until } from '@orijs/testkit';
import { oneRedis } from './harness/backend.ts';
import { everyNode } from './harness/exposure.ts';
import { exactlyOne, publisherLinks } from './harness/links.ts';
import { TWO_NODES } from './harness/stage.ts';
import { testFault } from './harness/test-fault.ts';

// When node a can announce what it could not publish, b is not there to hear it yet; and what b reports by itself begins later.
// Seen to fail: an announcement made once, whoever hears it (silent losses).
testFault({
	name: "a node can't publish, then Redis restarts",
	backend: oneRedis(),
	stage: { ...TWO_NODES, proxied: ['a', 'b'] },
	exposure: everyNode,
	gapsPerTopic: 2,
	async inject(world) {
		const { redis } = world.backend;
		const [a, b] = [world.proxy('a'), world.proxy('b')];
		const from = Date.now();
		a.refuse(true);
		exactlyOne(a.cut(publisherLinks));
		await Bun.sleep(2_000);
		await redis.kill();
		// From here on b can connect, and gets no answer.
		b.freeze();
		await redis.restart();
		a.refuse(false);
		await until(() => a.links().some(publisherLinks), { what: 'a publishes again' });
		await Bun.sleep(50);
		b.thaw();
		return { from, back: Date.now() };
	},
});
