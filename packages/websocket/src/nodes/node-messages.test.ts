import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import {
	BusUnavailableError,
	InvalidNodeIdError,
	InvalidPayloadError,
	ProviderNotStartedError,
	ProviderStoppedError,
} from '../index.ts';
import { MemoryBackend } from '../testing/index.ts';
import { openNode, type TestNode } from '../test-support/test-node.ts';
import { ticks } from '../test-support/ticks.ts';
import { WatchedBus } from '../test-support/watched-bus.ts';

/** Writes down what a node is told, from now on. */
function listenTo({ provider }: TestNode): string[] {
	const told: string[] = [];
	provider.onNodeMessage((text) => told.push(text));
	return told;
}

/** The channel of a node. */
const channelOf = ({ provider }: TestNode): string => `!${provider.nodeId}`;

describe('what one node tells another', () => {
	it('reaches that node, in order, and no other', async () => {
		const backend = new MemoryBackend();
		const [a, b, c] = [
			await openNode({ bus: backend.createBus() }),
			await openNode({ bus: backend.createBus() }),
			await openNode({ bus: backend.createBus() }),
		];
		const [toldA, toldB, toldC] = [listenTo(a), listenTo(b), listenTo(c)];
		await ticks(5);
		for (const text of ['one', '', 'drei €']) void a.provider.sendToNode(b.provider.nodeId, text);
		await c.provider.sendToNode(a.provider.nodeId, 'to a');
		await until(() => toldB.length >= 3 && toldA.length > 0, { what: 'all has come' });
		await ticks(5);

		expect([toldA, toldB, toldC]).toEqual([['to a'], ['one', '', 'drei €'], []]);
	});

	it('reaches no socket', async () => {
		const backend = new MemoryBackend();
		const [a, b] = [await openNode({ bus: backend.createBus() }), await openNode({ bus: backend.createBus() })];
		const told = listenTo(b);
		await ticks(5);
		const member = await b.connect({ topics: new Set(['t']) });
		await a.provider.sendToNode(b.provider.nodeId, 'for nodes');
		await until(() => told.length > 0, { what: 'it has come' });
		await b.settled(member);

		expect(member.client.messages.filter((text) => text === 'for nodes')).toEqual([]);
	});

	it('reaches the node itself at once, with and without a bus, and needs no round trip', async () => {
		for (const node of [await openNode({ bus: new MemoryBackend().createBus() }), await openNode()]) {
			const told = listenTo(node);
			const sending = node.provider.sendToNode(node.provider.nodeId, 'to myself');
			expect(told).toEqual(['to myself']);
			await sending;
			await ticks(5);
			expect(told).toEqual(['to myself']);
		}
	});

	it('for a node that is not there is no error: nobody notices', async () => {
		await (await openNode()).provider.sendToNode(crypto.randomUUID(), 'x');
		const node = await openNode({ bus: new MemoryBackend().createBus() });
		const told = listenTo(node);
		await node.provider.sendToNode(crypto.randomUUID(), 'x');
		await ticks(5);

		expect(told).toEqual([]);
		expect(node.log.complaints).toEqual([]);
	});

	it('is refused for what is no node and no text, and while the provider is not started', async () => {
		const { provider } = await openNode({ start: false });
		const other = crypto.randomUUID();
		await expect(provider.sendToNode(other, 'x')).rejects.toThrow(ProviderNotStartedError);
		await provider.start();
		for (const bad of ['', 'node-1', null, 7, {}]) {
			await expect(provider.sendToNode(bad as string, 'x')).rejects.toThrow(InvalidNodeIdError);
		}
		await expect(provider.sendToNode(other, new Uint8Array(1) as never)).rejects.toThrow(InvalidPayloadError);
		await provider.stop();
		await expect(provider.sendToNode(other, 'x')).rejects.toThrow(ProviderStoppedError);
	});

	it('is refused where the backend is not to be reached', async () => {
		const bus = new WatchedBus(new MemoryBackend().createBus());
		const { provider } = await openNode({ bus });
		bus.publishFault = new Error('no way through');

		await expect(provider.sendToNode(crypto.randomUUID(), 'x')).rejects.toThrow(BusUnavailableError);
	});
});

describe('those who listen to what a node is told', () => {
	it.each([
		['before the start', false],
		['after it', true],
	])('hear it when they came %s, all of them, until they undo that', async (_, start) => {
		const backend = new MemoryBackend();
		const a = await openNode({ bus: backend.createBus() });
		const b = await openNode({ bus: backend.createBus(), start });
		const told: string[] = [];
		const listener = (text: string): void => void told.push(text);
		const undo = b.provider.onNodeMessage(listener);
		b.provider.onNodeMessage(listener);
		await b.provider.start();
		await ticks(5);
		await a.provider.sendToNode(b.provider.nodeId, 'to both');
		await until(() => told.length === 2, { what: 'both have heard it' });
		undo();
		undo();
		await a.provider.sendToNode(b.provider.nodeId, 'to one');
		await until(() => told.length > 2, { what: 'the other one has heard it' });
		await ticks(5);

		expect(told).toEqual(['to both', 'to both', 'to one']);
	});

	it('harm nobody by throwing: it is logged, and the others hear it', async () => {
		const node = await openNode();
		const err = new Error('deaf');
		node.provider.onNodeMessage(() => {
			throw err;
		});
		const told = listenTo(node);
		await node.provider.sendToNode(node.provider.nodeId, 'x');

		expect(told).toEqual(['x']);
		expect(node.log.complaints).toEqual([
			{ level: 'error', message: 'A node message listener failed', details: { err } },
		]);
	});

	it('are what the node’s channel is subscribed for, once, and again after a restart', async () => {
		const bus = new WatchedBus(new MemoryBackend().createBus());
		const node = await openNode({ bus });
		expect([...bus.subscribed]).toEqual(['*']);

		listenTo(node);
		listenTo(node);
		await until(() => bus.subscribed.has(channelOf(node)), { what: 'the channel is subscribed' });
		const asked = bus.calls.filter(({ topics }) => topics.includes(channelOf(node)));
		expect(asked).toHaveLength(1);

		await node.provider.stop();
		expect([...bus.subscribed]).toEqual([]);
		await node.provider.start();
		expect([...bus.subscribed].toSorted()).toEqual([channelOf(node), '*'].toSorted());
	});

	it('need no channel where there is nothing to hear', async () => {
		const bus = new WatchedBus(new MemoryBackend().createBus());
		const node = await openNode({ bus });
		await node.provider.sendToNode(node.provider.nodeId, 'x');
		await node.connect({ topics: new Set(['t']) });

		expect([...bus.subscribed].some((channel) => channel.startsWith('!'))).toBe(false);
	});
});
