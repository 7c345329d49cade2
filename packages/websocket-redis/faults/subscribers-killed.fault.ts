import { oneRedis } from './harness/backend.ts';
import { everyNode } from './harness/exposure.ts';
import { type Stage, TWO_NODES } from './harness/stage.ts';
import { testFault } from './harness/test-fault.ts';

const NODES = ['a', 'b'];

const FIVE_THOUSAND_TOPICS: Stage = {
	...TWO_NODES,
	groups: [{ prefix: 'topic', count: 5_000, publishers: NODES, members: NODES }],
	clientsPerNode: 1,
	// Each topic is heard of once a second, so one that stays deaf shows.
	messages: 5_000,
};

// Seen to fail: a gap that begins 5 ms before the connection is back (silent losses).
testFault({
	name: 'every subscriber killed, 5,000 topics',
	backend: oneRedis(),
	stage: FIVE_THOUSAND_TOPICS,
	exposure: everyNode,
	async inject({ backend: { redis } }) {
		const from = Date.now();
		await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
		return { from, back: Date.now() };
	},
});
