import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import {
	BusUnavailableError,
	InvalidNodeIdError,
	InvalidOptionError,
	InvalidPayloadError,
	ProviderNotStartedError,
	ProviderStoppedError,
	InvalidSocketIdError,
	UnknownSocketError,
} from '../index.ts';
import { MemoryBackend } from '../testing/index.ts';
import { messagesOf, openNode, type TestNode } from '../test-support/test-node.ts';
import { ticks } from '../test-support/ticks.ts';
import { WatchedBus } from '../test-support/watched-bus.ts';

/** Records the messages that a node receives from now on. */
function listenTo({ provider }: TestNode): string[] {
	const received: string[] = [];
	provider.onNodeMessage((text) => received.push(text));
	return received;
}

/** The channel of a node. */
const channelOf = ({ provider }: TestNode): string => `!${provider.nodeId}`;

describe('a message from one node to another', () => {
	it('reaches that node, in order, and no other', async () => {
		const backend = new MemoryBackend();
		const [a, b, c] = [
			await openNode({ bus: backend.createBus() }),
			await openNode({ bus: backend.createBus() }),
			await openNode({ bus: backend.createBus() }),
		];
		const [receivedA, receivedB, receivedC] = [listenTo(a), listenTo(b), listenTo(c)];
		await ticks(5);
		for (const text of ['one', '', 'drei €']) void a.provider.sendToNode(b.provider.nodeId, text);
		await c.provider.sendToNode(a.provider.nodeId, 'to a');
		await until(() => receivedB.length >= 3 && receivedA.length > 0, { what: 'all have arrived' });
		await ticks(5);

		expect([receivedA, receivedB, receivedC]).toEqual([['to a'], ['one', '', 'drei €'], []]);
	});

	it('reaches no socket', async () => {
		const backend = new MemoryBackend();
		const [a, b] = [await openNode({ bus: backend.createBus() }), await openNode({ bus: backend.createBus() })];
		const received = listenTo(b);
		await ticks(5);
		const member = await b.connect({ topics: new Set(['t']) });
		await a.provider.sendToNode(b.provider.nodeId, 'for nodes');
		await until(() => received.length > 0, { what: 'it has arrived' });
		await b.settled(member);

		expect(member.client.messages.filter((text) => text === 'for nodes')).toEqual([]);
	});

	it('reaches the node itself at once, with and without a bus, and needs no round trip', async () => {
		for (const node of [await openNode({ bus: new MemoryBackend().createBus() }), await openNode()]) {
			const received = listenTo(node);
			const sending = node.provider.sendToNode(node.provider.nodeId, 'to myself');
			expect(received).toEqual(['to myself']);
			await sending;
			await ticks(5);
			expect(received).toEqual(['to myself']);
		}
	});

	it('to a node that is not there is no error', async () => {
		await (await openNode()).provider.sendToNode(crypto.randomUUID(), 'x');
		const node = await openNode({ bus: new MemoryBackend().createBus() });
		const received = listenTo(node);
		await node.provider.sendToNode(crypto.randomUUID(), 'x');
		await ticks(5);

		expect(received).toEqual([]);
		expect(node.log.problems).toEqual([]);
	});

	it('is refused for an invalid node id or text, and while the provider is not started', async () => {
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

	it('rejects when the backend cannot be reached', async () => {
		const bus = new WatchedBus(new MemoryBackend().createBus());
		const { provider } = await openNode({ bus });
		bus.publishFault = new Error('no way through');

		await expect(provider.sendToNode(crypto.randomUUID(), 'x')).rejects.toThrow(BusUnavailableError);
	});
});

describe('a message to the node of a socket', () => {
	it.each(['the same node', 'another node'])(
		'reaches its listeners in order with what is sent to the socket: %s',
		async (where) => {
			const backend = new MemoryBackend();
			const a = await openNode({ bus: backend.createBus() });
			const b = where === 'another node' ? await openNode({ bus: backend.createBus() }) : a;
			const member = await b.connect();
			b.provider.onNodeMessage((text) => void b.provider.send(member.id, `passed on: ${text}`));
			void a.provider.send(member.id, 'before');
			await Promise.all(['ü', ''].map((text) => a.provider.sendToNodeOf(member.id, text)));
			await a.provider.send(member.id, 'after');
			await member.client.received(4);
			await b.settled(member);

			expect(messagesOf(member)).toEqual(['before', 'passed on: ü', 'passed on: ', 'after']);
		},
	);

	it('reaches no socket and no other node', async () => {
		const backend = new MemoryBackend();
		const [a, b] = [await openNode({ bus: backend.createBus() }), await openNode({ bus: backend.createBus() })];
		const received = listenTo(a);
		const members = [await a.connect(), await b.connect()];
		await a.provider.sendToNodeOf(members[1]?.id as string, 'for the node');
		for (const member of members) {
			await a.provider.send(member.id, 'last');
			await member.client.next((text) => text === 'last');
			expect(messagesOf(member)).toEqual(['last']);
		}
		expect([received, a.log.problems, b.log.problems]).toEqual([[], [], []]);
	});

	it('reaches the listeners even if the socket has left meanwhile', async () => {
		const backend = new MemoryBackend();
		const [a, b] = [await openNode({ bus: backend.createBus() }), await openNode({ bus: backend.createBus() })];
		const received = listenTo(b);
		const { id } = await b.connect();
		b.provider.onNodeMessage(() => void b.coordinator.removeConnection(id));
		await Promise.all(['one', 'two'].map((text) => a.provider.sendToNodeOf(id, text)));
		await until(() => received.length === 2, { what: 'both have arrived' });

		expect(received).toEqual(['one', 'two']);
	});

	it('rejects if no node has the socket, with and without a bus, and nothing is logged', async () => {
		for (const node of [await openNode({ bus: new MemoryBackend().createBus() }), await openNode()]) {
			await expect(node.provider.sendToNodeOf(crypto.randomUUID(), 'x')).rejects.toThrow(UnknownSocketError);
			expect(node.log.problems).toEqual([]);
		}
	});

	it('is refused for an invalid socket id or text', async () => {
		const { provider } = await openNode();
		for (const bad of ['', 'x', null, 7])
			await expect(provider.sendToNodeOf(bad as string, 'x')).rejects.toThrow(InvalidSocketIdError);
		const bytes = new Uint8Array(1) as never;
		await expect(provider.sendToNodeOf(crypto.randomUUID(), bytes)).rejects.toThrow(InvalidPayloadError);
	});
});

describe("a node's own channel", () => {
	it('is subscribed from the start on, once, and again after a restart', async () => {
		const bus = new WatchedBus(new MemoryBackend().createBus());
		const node = await openNode({ bus });
		expect([...bus.subscribed].toSorted()).toEqual([channelOf(node), '*']);

		listenTo(node);
		await ticks(5);
		const asked = bus.calls.filter(({ channels }) => channels.includes(channelOf(node)));
		expect(asked).toHaveLength(1);

		await node.provider.stop();
		expect([...bus.subscribed]).toEqual([]);
		await node.provider.start();
		expect([...bus.subscribed].toSorted()).toEqual([channelOf(node), '*']);
	});

	it('is for the provider itself if a text begins with #, which is refused to others', async () => {
		const { provider } = await openNode();
		const { id } = await (await openNode()).connect();
		await expect(provider.sendToNode(crypto.randomUUID(), '#1 ask')).rejects.toThrow(InvalidOptionError);
		await expect(provider.sendToNodeOf(id, '#')).rejects.toThrow(/must not begin with #/);
	});
});

describe('node message listeners', () => {
	it.each([
		['before the start', false],
		['after it', true],
	])('hear it when they came %s, all of them, until they undo that', async (_, start) => {
		const backend = new MemoryBackend();
		const a = await openNode({ bus: backend.createBus() });
		const b = await openNode({ bus: backend.createBus(), start });
		const received: string[] = [];
		const listener = (text: string): void => void received.push(text);
		const undo = b.provider.onNodeMessage(listener);
		b.provider.onNodeMessage(listener);
		await b.provider.start();
		await ticks(5);
		await a.provider.sendToNode(b.provider.nodeId, 'to both');
		await until(() => received.length === 2, { what: 'both listeners were called' });
		undo();
		undo();
		await a.provider.sendToNode(b.provider.nodeId, 'to one');
		await until(() => received.length > 2, { what: 'the other listener was called' });
		await ticks(5);

		expect(received).toEqual(['to both', 'to both', 'to one']);
	});

	it.each<[string, () => unknown]>([
		['throw', fail],
		['reject', async () => fail()],
	])('may %s: this is logged, and the others are called', async (_, deaf) => {
		const node = await openNode();
		node.provider.onNodeMessage(deaf);
		const received = listenTo(node);
		await node.provider.sendToNode(node.provider.nodeId, 'x');

		expect(received).toEqual(['x']);
		expect(node.log.problems).toEqual([
			{
				level: 'error',
				message: 'WebSocket failure (onNodeMessage): deaf',
				details: { stage: 'onNodeMessage', err: new Error('deaf') },
			},
		]);
	});
});

function fail(): never {
	throw new Error('deaf');
}
