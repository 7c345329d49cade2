import { connectClient, frame, HANDSHAKE, Opcode, RecordingLogger, until } from '@orijs/testkit';
import { InProcWsProvider } from '@orijs/websocket';
import { CloseCode } from '@orijs/websocket/protocol';
import { describe, expect, it } from 'vitest';
import { Application, type Limits } from '../index.ts';
import { connectRaw } from '../test-support/raw-connection.ts';
import { connectRawWebSocket } from '../test-support/raw-web-socket.ts';
import { serve } from '../test-support/serve.ts';

/** Far more than Bun (16 MiB per socket) and the kernel can buffer. */
const BLOCKS = 600;
const BLOCK = 'x'.repeat(64 * 1024);
const ENOUGH_BYTES = BLOCKS * BLOCK.length;

/** An application whose clients are all subscribed to `flood`. */
async function flooding(limits: Limits = {}) {
	const logger = new RecordingLogger();
	const provider = new InProcWsProvider({ logger });
	const ids: string[] = [];
	const closed: { code: number; topics: string[] }[] = [];
	const app = new Application({ logger }).websocket(provider, { limits }).onWebSocket({
		open(ws) {
			ids.push(ws.data.socketId);
			return ws.subscribe('flood');
		},
		close: (ws, code) => void closed.push({ code, topics: [...ws.data.topics] }),
	});
	return { app, logger, provider, ids, closed, ...(await serve(app)) };
}

type Send = (server: Awaited<ReturnType<typeof flooding>>, text: string) => void;

const numbered = (i: number, size: number): string => `${i} `.padEnd(size, '.');
/** The numbers of all messages except the notice of the subscription. */
const numbersOf = (texts: readonly unknown[]): number[] =>
	texts.filter((text) => !String(text).includes('"@subscribed"')).map((text) => Number.parseInt(String(text), 10));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('a client that reads too slowly', () => {
	it('is closed rather than left with missing messages, and removed', async () => {
		const { app, provider, closed, port } = await flooding();
		const client = await connectRaw(port);
		client.write(`${HANDSHAKE}\r\n`);
		await client.seen('101 Switching Protocols');
		client.pause();

		for (let i = 0; i < BLOCKS; i++) void app.socket.publish('flood', BLOCK);
		expect(closed.map(({ topics }) => topics)).toEqual([['flood']]);
		expect([provider.getConnectionCount(), provider.getTopicSubscriberCount('flood')]).toEqual([0, 0]);
	});

	// Messages are sent either all at once, or with pauses, because Bun does some work only at the end of each task.
	it.each([
		[64, Infinity],
		[64, 1_000],
		[300, Infinity],
		[900, Infinity],
		[900, 100],
		[4_096, Infinity],
		[65_536, Infinity],
		[65_536, 10],
	])(
		'is closed with 1013 and, once it reads again, receives all queued messages without a gap: %d bytes each, %d at once',
		async (size, atOnce) => {
			const { app, logger, closed, port } = await flooding({ queuedBytes: 256 * 1024 });
			const client = await connectRawWebSocket(port);
			client.pause();
			for (let i = 0; closed.length === 0 && i < ENOUGH_BYTES / size; i++) {
				void app.socket.publish('flood', numbered(i, size));
				if (i % atOnce === atOnce - 1) await Bun.sleep(0);
			}
			client.resume();
			await client.closed();

			expect(client.close).toEqual({ code: CloseCode.tryAgainLater, reason: 'reads too slowly' });
			const numbers = numbersOf(client.texts);
			expect(numbers.length).toBeGreaterThan(0);
			expect(numbers).toEqual(upTo(numbers.length));
			expect(app.refusals.slowReader).toBe(1);
			expect(logger.lines.map(({ level, message }) => [level, message])).toContainEqual([
				'warn',
				'Clients read too slowly: connections closed (1013), or messages dropped (slowReaders: drop)',
			]);
		},
	);

	it.each<[string, Send]>([
		['by broadcast', ({ app }, text) => void app.socket.broadcast(text)],
		['by socket id', ({ app, ids }, text) => void app.socket.send(ids[0] ?? '', text)],
		['by the socket itself', ({ provider, ids }, text) => void provider.getConnection(ids[0] ?? '')?.send(text)],
	])('is closed with 1013, without a gap, when messages are sent %s', async (_, send) => {
		const server = await flooding({ queuedBytes: 256 * 1024 });
		const client = await connectRawWebSocket(server.port);
		client.pause();
		for (let i = 0; server.closed.length === 0 && i < BLOCKS; i++) send(server, numbered(i, BLOCK.length));
		client.resume();
		await client.closed();

		expect(client.close?.code).toBe(CloseCode.tryAgainLater);
		expect(numbersOf(client.texts)).toEqual(upTo(client.texts.length - 1));
		expect(server.app.refusals.slowReader).toBe(1);
	});

	it('is closed with 1013 if what it does not read are the answers to its own pings', async () => {
		const { app, closed, port } = await flooding({ messagesPerSecond: Infinity, bytesPerSecond: Infinity });
		const client = await connectRawWebSocket(port);
		client.pause();
		const pings = Buffer.concat(Array.from({ length: 1_000 }, () => frame('x'.repeat(125), { opcode: Opcode.ping })));
		for (let i = 0; closed.length === 0 && i < ENOUGH_BYTES / pings.length; i++) {
			client.write(pings);
			await until(() => client.isFlushed || closed.length > 0, { what: 'the pings are sent' });
		}
		client.resume();
		await client.closed();

		expect(client.close).toEqual({ code: CloseCode.tryAgainLater, reason: 'reads too slowly' });
		expect(app.refusals.slowReader).toBe(1);
	});

	it('still counts as a connection, because what was queued for it remains in memory for a while', async () => {
		const { app, closed, port } = await flooding({ connections: 2 });
		const slow = await connectRawWebSocket(port);
		slow.pause();
		for (let i = 0; closed.length === 0 && i < BLOCKS; i++) void app.socket.publish('flood', BLOCK);
		const fast = await connectRawWebSocket(port);
		await expect(connectRawWebSocket(port)).rejects.toThrow('503');

		// One that reads frees its place as soon as it is closed.
		fast.end();
		await until(() => closed.length === 2, { what: 'the other is closed' });
		await connectRawWebSocket(port);
	});

	it('does not affect other clients: they receive everything', async () => {
		const { app, closed, port, ws } = await flooding({ queuedBytes: 1024 * 1024 });
		const [slow, fast] = [await connectRawWebSocket(port), await connectClient(ws)];
		slow.pause();
		const count = 2_000;
		for (let i = 0; i < count; i++) {
			void app.socket.publish('flood', numbered(i, 16 * 1024));
			// This client reads as fast as it can, but it runs in the same thread: let it catch up regularly.
			if (i % 10 === 9) await fast.received(i);
		}

		expect(numbersOf(await fast.received(count))).toEqual(upTo(count));
		expect(closed.map(({ code }) => code)).toEqual([CloseCode.tryAgainLater]);
	});
});
