import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import type { Gap } from '../index.ts';
import { MemoryBackend } from '../testing/index.ts';
import { openNode, type TestNode } from '../test-support/test-node.ts';
import { WatchedBus } from '../test-support/watched-bus.ts';

async function openPair(): Promise<{ bus: WatchedBus; node: TestNode; other: TestNode; told: Gap[] }> {
	const backend = new MemoryBackend();
	const bus = new WatchedBus(backend.createBus());
	const [node, other] = [await openNode({ bus }), await openNode({ bus: backend.createBus() })];
	const told: Gap[] = [];
	other.provider.onGap((gap) => told.push(gap));
	await other.connect({ topics: new Set(['lost', 'fine']) });
	return { bus, node, other, told };
}

describe('a node that could not publish', () => {
	it('tells the others once it can, on the topics concerned, with the time it took', async () => {
		const { bus, node, told } = await openPair();
		const before = Date.now();
		bus.publishFault = new Error('no way through');
		await node.provider.publish('lost', 'x').catch(() => {});
		await node.provider.publish('lost', 'y').catch(() => {});
		const after = Date.now();
		bus.publishFault = undefined;
		await node.provider.publish('fine', 'z');

		await until(() => told.length > 0, { what: 'the gap is told' });
		expect(told).toEqual([
			{ topic: 'lost', since: expect.any(Number), until: expect.any(Number), reason: expect.any(String) },
		]);
		expect(told[0]?.since).toBeLessThanOrEqual(before);
		expect(told[0]?.until).toBeGreaterThanOrEqual(after);
	});

	it('tells of everything when there are too many topics to name', async () => {
		const { bus, node, told } = await openPair();
		bus.publishFault = new Error('no way through');
		const failed = Array.from({ length: 10_001 }, (_, i) => node.provider.publish(`t${i}`, 'x'));
		await Promise.allSettled(failed);
		bus.publishFault = undefined;
		await node.provider.publish('elsewhere', 'z');

		await until(() => told.length >= 3, { what: 'the gaps are told' });
		expect(told.map(({ topic }) => topic).toSorted()).toEqual(['*', 'fine', 'lost']);
	});

	it('is told of to nobody who has undone it', async () => {
		const { bus, node, other, told } = await openPair();
		const undone: Gap[] = [];
		other.provider.onGap((gap) => undone.push(gap))();
		bus.publishFault = new Error('no way through');
		await node.provider.publish('lost', 'x').catch(() => {});
		bus.publishFault = undefined;
		await node.provider.publish('lost', 'y');
		await until(() => told.length > 0, { what: 'the gap is told' });
		expect(undone).toEqual([]);
	});
});
