import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import {
	InvalidOptionError,
	InvalidServerError,
	MessageDroppedError,
	type SlowReaderOptions,
	type WebSocketConnection,
} from '../index.ts';
import { show } from '../support/show.ts';
import { MemoryBackend } from '../testing/index.ts';
import { type Member, messagesOf, openNode, type TestNode } from '../test-support/test-node.ts';

const LIMIT = 64 * 1024;
const SIZE = 16 * 1024;
/**
 * Far more messages than fit into the kernel's buffers and below the limit. A client in this thread reads only when the
 * test yields.
 */
const COUNT = 1_500;

const numbered = (i: number): string => `${i} `.padEnd(SIZE, '.');
const numbersOf = (member: Member): number[] => messagesOf(member).map((text) => Number.parseInt(String(text), 10));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Opens a node that reports slow readers, and returns it with the readers reported so far. */
async function openWatching(options: SlowReaderOptions, bun: Parameters<typeof openNode>[0] = {}) {
	const found: WebSocketConnection[] = [];
	const node = await openNode({ ...bun, setServer: false });
	node.provider.setServer(node.server, { ...options, onSlowReader: (socket) => found.push(socket) });
	return { node, found };
}

const inTopic = { topics: new Set(['t']) };

const ways: [string, (node: TestNode, member: Member, message: string) => unknown][] = [
	['published', ({ provider }, _, message) => provider.publish('t', message)],
	['sent to it', ({ provider }, { id }, message) => provider.send(id, message).catch(() => {})],
	['broadcast', ({ provider }, _, message) => provider.broadcast(message)],
];

describe('a client that reads too slowly', () => {
	it.each(ways)('is closed with 1013 when too much is %s, and still receives what was queued', async (_, send) => {
		const { node, found } = await openWatching({ queuedBytes: LIMIT });
		const slow = await node.connect(inTopic);
		for (let i = 0; i < COUNT; i++) void send(node, slow, numbered(i));
		expect(found).toEqual([slow.ws]);
		expect(node.provider.isConnected(slow.id)).toBe(false);

		expect(await slow.client.closed).toEqual({ code: 1013, reason: 'reads too slowly' });
		expect(numbersOf(slow)).toEqual(upTo(messagesOf(slow).length));
	});

	it('is logged if there is no onSlowReader', async () => {
		const node = await openNode({ setServer: false });
		node.provider.setServer(node.server, { queuedBytes: LIMIT });
		const slow = await node.connect(inTopic);
		for (let i = 0; i < COUNT; i++) void node.provider.publish('t', numbered(i));
		await slow.client.closed;

		expect(node.log.problems).toEqual([
			{
				level: 'warn',
				message: 'Disconnecting a client that reads too slowly',
				details: { socketId: slow.id, queued: expect.any(Number) as number },
			},
		]);
	});

	it('is closed with 1013 when too much comes from another node', async () => {
		const backend = new MemoryBackend();
		const there = await openNode({ bus: backend.createBus() });
		const { node, found } = await openWatching({ queuedBytes: LIMIT }, { bus: backend.createBus() });
		const slow = await node.connect(inTopic);
		await Promise.all(Array.from({ length: COUNT }, (_, i) => there.provider.publish('t', numbered(i))));

		expect((await slow.client.closed).code).toBe(1013);
		expect(found).toEqual([slow.ws]);
	});

	it('is closed with 1013 when another client publishes too much', async () => {
		const { node } = await openWatching({ queuedBytes: LIMIT });
		const [slow, loud] = [await node.connect(inTopic), await node.connect(inTopic)];
		for (let i = 0; i < COUNT; i++) void node.provider.publishFrom(loud.id, 't', numbered(i));

		expect((await slow.client.closed).code).toBe(1013);
		expect(node.provider.isConnected(loud.id)).toBe(true);
	});

	it('is closed with 1013 by messages that skip others, which receive what onSlowReader then publishes', async () => {
		const node = await openNode({ setServer: false });
		node.provider.setServer(node.server, {
			queuedBytes: LIMIT,
			onSlowReader: () => void node.provider.publish('t', 'one was closed'),
		});
		const [slow, ...others] = [await node.connect(inTopic), await node.connect(inTopic), await node.connect(inTopic)];
		const except = others.map(({ id }) => id);
		for (let i = 0; i < COUNT; i++) void node.provider.publish('t', numbered(i), { except });

		expect((await slow.client.closed).code).toBe(1013);
		await Promise.all(others.map(node.settled));
		expect(others.map(messagesOf)).toEqual([['one was closed'], ['one was closed']]);
	});

	it('does not affect other clients', async () => {
		const { node, found } = await openWatching({ queuedBytes: LIMIT });
		const [slow, idle] = [await node.connect(inTopic), await node.connect()];
		for (let i = 0; i < COUNT; i++) void node.provider.publish('t', numbered(i));
		await slow.client.closed;
		await node.provider.send(idle.id, 'still here');
		await node.settled(idle);

		expect(messagesOf(idle)).toEqual(['still here']);
		expect(found).toEqual([slow.ws]);
	});

	it('is closed at its own limit if sockets differ', async () => {
		const patient = new Set<string>();
		const { node, found } = await openWatching({
			queuedBytes: LIMIT,
			queuedBytesOf: ({ data }) => (patient.has(data.socketId) ? 1024 * LIMIT : LIMIT),
		});
		const [slow, other] = [await node.connect(inTopic), await node.connect(inTopic)];
		patient.add(other.id);
		for (let i = 0; i < COUNT; i++) void node.provider.publish('t', numbered(i));

		expect(found).toEqual([slow.ws]);
		expect(node.provider.isConnected(other.id)).toBe(true);
	});

	it('is closed at 8 MiB by default', async () => {
		const { node, found } = await openWatching({});
		const slow = await node.connect(inTopic);
		let queued = 0;
		for (let i = 0; i < 5_000 && found.length === 0; i++) {
			queued = slow.ws.getBufferedAmount();
			void node.provider.publish('t', numbered(i));
		}

		expect(found).toEqual([slow.ws]);
		expect(queued).toBeGreaterThan(7 * 1024 * 1024);
		expect(queued).toBeLessThan(11 * 1024 * 1024);
	});
});

describe('a client that reads too slowly, with slowReaders: drop', () => {
	it('is reported and stays connected', async () => {
		const { node, found } = await openWatching(
			{ queuedBytes: LIMIT, slowReaders: 'drop' },
			{ backpressureLimit: LIMIT },
		);
		const slow = await node.connect(inTopic);
		for (let i = 0; i < COUNT; i++) void node.provider.publish('t', numbered(i));
		expect(found).toContain(slow.ws);
		await until(() => slow.ws.getBufferedAmount() === 0, { what: 'the client has read its queue' });
		await node.settled(slow);

		expect(slow.ws.readyState).toBe(WebSocket.OPEN);
		expect(node.log.problems.map(({ message }) => message)).not.toContain(
			'Disconnecting a client that reads too slowly',
		);
	});

	it('is reported before the first message to it is dropped', async () => {
		const { node, found } = await openWatching(
			{ queuedBytes: LIMIT, slowReaders: 'drop' },
			{ backpressureLimit: LIMIT },
		);
		const slow = await node.connect();
		for (let i = 0; i < COUNT; i++) {
			const wasReported = found.length > 0;
			const outcome = await node.provider.send(slow.id, numbered(i)).catch((error: unknown) => error);
			if (outcome === undefined) continue;
			expect([outcome, wasReported]).toEqual([expect.any(MessageDroppedError), true]);
			return;
		}
		expect.unreachable('nothing was dropped');
	});
});

describe('invalid options for slow readers', () => {
	it.each([[0], [-1], [1.5], [Number.NaN], [Infinity], ['1000'], [null]])(
		'are rejected: queuedBytes %o',
		async (bad) => {
			const { provider, server } = await openNode({ setServer: false });
			const set = (): void => provider.setServer(server, { queuedBytes: bad as number });

			expect(set).toThrow(InvalidOptionError);
			expect(set).toThrow(`queuedBytes must be a whole number of bytes, 1 or more, not ${show(bad)}`);
		},
	);

	it.each([['keep'], [''], [true], [null]])('are rejected: slowReaders %o', async (bad) => {
		const { provider, server } = await openNode({ setServer: false });
		const set = (): void => provider.setServer(server, { slowReaders: bad as 'drop' });

		expect(set).toThrow(InvalidOptionError);
		expect(set).toThrow(`slowReaders must be 'close' or 'drop', not ${show(bad)}`);
	});

	it('are rejected: queuedBytesOf that is not a function', async () => {
		const { provider, server } = await openNode({ setServer: false });
		const set = (): void => provider.setServer(server, { queuedBytesOf: 1 as never });

		expect(set).toThrow(new InvalidOptionError('queuedBytesOf must be a function, not 1'));
	});

	it('do not hide an invalid server', async () => {
		const { provider } = await openNode({ setServer: false });

		expect(() => provider.setServer({} as never, { queuedBytes: 0 })).toThrow(InvalidServerError);
	});
});
