import { oneRedis } from './harness/backend.ts';
import { everyNode } from './harness/impact.ts';
import { type Scenario, TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';

const NODES = ['a', 'b'];

const FIVE_THOUSAND_TOPICS: Scenario = {
	...TWO_NODES,
	groups: [{ prefix: 'topic', count: 5_000, publishers: NODES, subscribers: NODES }],
	clientsPerNode: 1,
	// One message per second on each topic, so that a topic that is not resubscribed is noticed.
	messages: 5_000,
};

// Verified by mutation testing: if the gap begins only 5 ms before the connection works again, the test fails with
// silent losses.
testFault({
	name: 'every subscriber killed, 5,000 topics',
	backend: oneRedis(),
	scenario: FIVE_THOUSAND_TOPICS,
	impact: everyNode,
	async inject({ backend: { redis } }) {
		const from = Date.now();
		await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
		return { from, back: Date.now() };
	},
});
