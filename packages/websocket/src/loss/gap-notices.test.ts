import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import type { Gap } from '../index.ts';
import { MemoryBackend } from '../testing/index.ts';
import { openNode, type TestNode } from '../test-support/test-node.ts';
import { WatchedBus } from '../test-support/watched-bus.ts';

async function openPair(): Promise<{ bus: WatchedBus; node: TestNode; other: TestNode; gaps: Gap[] }> {
	const backend = new MemoryBackend();
	const bus = new WatchedBus(backend.createBus());
	const [node, other] = [await openNode({ bus }), await openNode({ bus: backend.createBus() })];
	const gaps: Gap[] = [];
	other.provider.onGap((gap) => gaps.push(gap));
	await other.connect({ topics: new Set(['lost', 'fine']) });
	return { bus, node, other, gaps };
}

describe('a node that could not publish', () => {
	it('notifies the others once it can, on the affected topics, with the span', async () => {
		const { bus, node, gaps } = await openPair();
		const before = Date.now();
		bus.publishFault = new Error('no way through');
		await node.provider.publish('lost', 'x').catch(() => {});
		const after = Date.now();
		await node.provider.publish('lost', 'y').catch(() => {});
		bus.publishFault = undefined;
		await node.provider.publish('fine', 'z');

		await until(() => gaps.length > 0, { what: 'the gap is reported' });
		expect(gaps).toEqual([
			{ topic: 'lost', since: expect.any(Number), until: expect.any(Number), reason: expect.any(String) },
		]);
		expect(gaps[0]?.since).toBeLessThanOrEqual(before);
		expect(gaps[0]?.until).toBeGreaterThanOrEqual(after);
	});

	it('reports everything when there are too many topics to name', async () => {
		const { bus, node, gaps } = await openPair();
		bus.publishFault = new Error('no way through');
		const failed = Array.from({ length: 10_001 }, (_, i) => node.provider.publish(`t${i}`, 'x'));
		await Promise.allSettled(failed);
		bus.publishFault = undefined;
		await node.provider.publish('elsewhere', 'z');

		await until(() => gaps.length >= 3, { what: 'the gaps are reported' });
		expect(gaps.map(({ topic }) => topic).toSorted()).toEqual(['*', 'fine', 'lost']);
	});

	it('sends no notices about messages to nodes, however many of them failed', async () => {
		const { bus, node, gaps } = await openPair();
		bus.publishFault = new Error('no way through');
		const failed = Array.from({ length: 10_001 }, () => node.provider.sendToNode(crypto.randomUUID(), 'x'));
		await Promise.allSettled([...failed, node.provider.publish('lost', 'x')]);
		bus.publishFault = undefined;
		await node.provider.publish('elsewhere', 'z');

		await until(() => gaps.some(({ topic }) => topic === 'lost'), { what: 'the gap is reported' });
		expect(gaps.map(({ topic }) => topic)).toEqual(['lost']);
	});

	it('is not reported to listeners that were removed', async () => {
		const { bus, node, other, gaps } = await openPair();
		const undone: Gap[] = [];
		other.provider.onGap((gap) => undone.push(gap))();
		bus.publishFault = new Error('no way through');
		await node.provider.publish('lost', 'x').catch(() => {});
		bus.publishFault = undefined;
		await node.provider.publish('lost', 'y');
		await until(() => gaps.length > 0, { what: 'the gap is reported' });
		expect(undone).toEqual([]);
	});
});
