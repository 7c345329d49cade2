import { until } from '@orijs/testkit';
import { oneRedis } from './harness/backend.ts';
import { everyNode } from './harness/impact.ts';
import { exactlyOne, publisherConnections } from './harness/connections.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';

// When node a can send its gap notice, b is not subscribed yet, and the gap that b itself reports begins later.
// Verified by mutation testing: if a gap notice is sent only once, the test fails with silent losses.
testFault({
	name: "a node can't publish, then Redis restarts",
	backend: oneRedis(),
	scenario: { ...TWO_NODES, proxied: ['a', 'b'] },
	impact: everyNode,
	gapsPerTopic: 2,
	async inject(deployment) {
		const { redis } = deployment.backend;
		const [a, b] = [deployment.proxy('a'), deployment.proxy('b')];
		const from = Date.now();
		a.refuse(true);
		exactlyOne(a.cut(publisherConnections));
		await Bun.sleep(2_000);
		await redis.kill();
		// From here on, b can connect, but receives no replies.
		b.freeze();
		await redis.restart();
		a.refuse(false);
		await until(() => a.links().some(publisherConnections), { what: 'a publishes again' });
		await Bun.sleep(50);
		b.thaw();
		return { from, back: Date.now() };
	},
});
