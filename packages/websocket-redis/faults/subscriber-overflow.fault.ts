import { until } from '@orijs/testkit';
import { oneRedis } from './harness/backend.ts';
import { onlyNode } from './harness/impact.ts';
import { exactlyOne, subscriberConnections } from './harness/connections.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';

// Redis disconnects a subscriber that reads too slowly, and drops everything queued for it. Messages that it had
// already sent still arrive.
// Verified by mutation testing: if the gap begins only 5 ms before the connection works again, the test fails with
// silent losses.
testFault({
	name: "a subscriber's output buffer overflows",
	backend: oneRedis('--client-output-buffer-limit', 'pubsub 1mb 0 0'),
	scenario: { ...TWO_NODES, proxied: ['b'] },
	impact: onlyNode('b'),
	async inject(deployment) {
		const { redis } = deployment.backend;
		const [a] = deployment.nodes;
		const from = Date.now();
		exactlyOne(deployment.proxy('b').freeze(subscriberConnections, { direction: 'toClient' }));
		// More than the limit and all system buffers on the path, on a topic that only node b subscribes to.
		await a?.ask({ do: 'burst', topic: 'room-b:0', count: 500, bytes: 64 * 1_024 });
		await until(() => redis.log().includes('overcoming of output buffer limits'), {
			what: 'Redis drops the subscriber',
		});
		deployment.proxy('b').thaw();
		return { from, back: Date.now() };
	},
});
