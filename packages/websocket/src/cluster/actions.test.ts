import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../testing/index.ts';
import { messagesOf, openNode, type TestNode } from '../test-support/test-node.ts';

async function openNodes(count: number): Promise<TestNode[]> {
	const backend = new MemoryBackend();
	const nodes: TestNode[] = [];
	for (let i = 0; i < count; i++) nodes.push(await openNode({ bus: backend.createBus(), subprotocol: 'orijs.1' }));
	return nodes;
}

describe('an action on two nodes', () => {
	it('subscribes, publishes and unsubscribes a socket of the other node', async () => {
		const [a, b] = (await openNodes(2)) as [TestNode, TestNode];
		const there = await b.connect({ userId: '42' });
		const { cluster } = a.provider;
		const result = await cluster.subscribe({ socketId: there.id }, 't');
		expect(result).toEqual({ nodes: 2, answered: 2, sockets: 1, unanswered: [] });
		await a.provider.publish('t', 'first');
		expect(await cluster.unsubscribe({ userId: '42' }, 't', { code: 'kicked' })).toMatchObject({ sockets: 1 });
		await b.settled(there);
		expect(messagesOf(there)).toHaveLength(3);
	});

	it('disconnects', async () => {
		const [a, b] = (await openNodes(2)) as [TestNode, TestNode];
		const there = await b.connect({ userId: '42' });
		const result = await a.provider.cluster.disconnect({ userId: '42' }, { code: 'banned', reconnect: false });
		expect(result).toEqual({ nodes: 2, answered: 2, sockets: 1, unanswered: [] });
		expect(await there.client.closed).toMatchObject({ code: 4403, reason: 'banned' });
		expect(messagesOf(there)).toEqual([
			JSON.stringify({
				type: '@disconnected',
				data: { code: 'banned', message: 'The server has disconnected you', reconnect: false },
			}),
		]);
	});
});
