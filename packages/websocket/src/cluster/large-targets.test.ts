import { describe, expect, it } from 'vitest';
import { openPair } from '../test-support/open-nodes.ts';
import type { TestNode } from '../test-support/test-node.ts';

/** More than are acted on in one turn. */
const MANY = 1_200;

async function connectMany(node: TestNode): Promise<void> {
	for (let i = 0; i < MANY; i += 100) await Promise.all(Array.from({ length: 100 }, () => node.connect()));
}

describe('an action on many sockets', () => {
	it('lets the event loop run meanwhile, and is done before the next one on the same sockets', async () => {
		const [here, there] = await openPair();
		await connectMany(there);
		const { cluster } = here.provider;
		const between: number[] = [];
		const watch = setInterval(() => between.push(there.provider.getTopicSubscriberCount('t')), 0);
		const results = await Promise.all([
			cluster.subscribe('all', 't'),
			cluster.unsubscribe({ topic: 't' }, 't'),
			cluster.subscribe('all', 't'),
			cluster.disconnect({ topic: 't' }),
		]);
		clearInterval(watch);

		expect(results.map(({ sockets }) => sockets)).toEqual([expect.any(Number), MANY, expect.any(Number), MANY]);
		expect(between.some((count) => count > 0 && count < MANY)).toBe(true);
		expect(there.provider.getConnectionCount()).toBe(0);
	}, 30_000);
});

it('the connections of a node are cut off above 4 MiB, which the result says', async () => {
	const [here, there] = await openPair();
	const topics = Array.from({ length: 100 }, (_, i) => `${'x'.repeat(250)}${i}`);
	for (let i = 0; i < 200; i += 50) {
		await Promise.all(
			Array.from({ length: 50 }, () => there.connect({ subprotocol: undefined, topics: new Set(topics) })),
		);
	}
	const { sockets, connections, hasMore } = await here.provider.cluster.connections('all', { limit: 10_000 });

	expect([sockets, hasMore]).toEqual([200, true]);
	expect(connections.length).toBeGreaterThan(150);
	expect(connections.length).toBeLessThan(180);
}, 30_000);
