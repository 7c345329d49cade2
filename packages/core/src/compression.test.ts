import { connectClient, connectSpeaker, frame, type RawWebSocket, RecordingLogger, until } from '@orijs/testkit';
import { InProcWsProvider, SocketMessage } from '@orijs/websocket';
import { CloseCode } from '@orijs/websocket/protocol';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
	Application,
	ApplicationError,
	type AppSocket,
	SocketEndpoint,
	SocketRouter,
	type WebSocketOptions,
} from './index.ts';
import { connectDeflating, connectDeflatingPlain, deflatedFrame } from './test-support/deflating-client.ts';
import { connectRawWebSocket } from './test-support/raw-web-socket.ts';
import { serve } from './test-support/serve.ts';
import { serveEndpoints } from './test-support/serve-endpoints.ts';

const KIB = 1024;
/** The close code for violations of the WebSocket protocol. */
const PROTOCOL_ERROR = 1002;
const LONG = 'x'.repeat(KIB);
const SHORT = 'x'.repeat(KIB - 1);

const Ask = SocketMessage.define({ name: 'ask', data: z.string(), reply: z.string() });

/** An application whose sockets are subscribed to `all`. */
async function application(options: WebSocketOptions) {
	const received: string[] = [];
	const sockets: AppSocket[] = [];
	const logger = new RecordingLogger();
	const app = new Application({ logger })
		.websocket(new InProcWsProvider({ logger }), options)
		.onWebSocket({
			async open(ws) {
				sockets.push(ws);
				await ws.subscribe('all');
			},
			message: (_, message) => void received.push(String(message)),
		})
		.socketRouter(new SocketRouter().on(Ask, (ctx) => ctx.data));
	const served = await serve(app);
	const opened = (count: number): Promise<void> =>
		until(() => sockets.length === count && sockets.every((ws) => ws.data.topics.has('all')), {
			what: `${count} sockets are subscribed`,
		});
	return { app, received, sockets, opened, ...served };
}

interface Arrived {
	readonly text: string;
	readonly isCompressed: boolean;
}

/** Resolves with a message of a client, not counting notices of subscriptions, and with whether it was compressed. */
async function arrives(client: RawWebSocket, index: number): Promise<Arrived> {
	const arrived = (): Arrived[] =>
		client.texts
			.map((text, i) => ({ text, isCompressed: client.textFrames[i]?.isCompressed === true }))
			.filter(({ text }) => !text.startsWith('{"type":"@subscribed"'));
	await until(() => arrived().length > index, { what: `message ${index} has arrived` });
	return arrived()[index] as Arrived;
}

describe('without perMessageDeflate', () => {
	it.each<WebSocketOptions>([{}, { perMessageDeflate: false }])(
		'the extension that a client offers is not negotiated: %j',
		async (options) => {
			const { app, opened, port } = await application(options);
			const client = await connectDeflating(port);
			expect(client.extensions).toBeUndefined();
			await opened(1);

			await app.socket.publish('all', LONG);
			expect(await arrives(client, 0)).toEqual({ text: LONG, isCompressed: false });
			client.write(deflatedFrame('compressed'));
			await client.closed();
			expect(client.close?.code).toBe(PROTOCOL_ERROR);
		},
	);
});

describe('with perMessageDeflate', () => {
	it('a client that offers the extension sends and receives compressed messages', async () => {
		const { app, received, sockets, opened, ws, port } = await application({ perMessageDeflate: true });
		const client = await connectDeflating(port);
		await opened(1);
		expect(client.extensions).toMatch(/^permessage-deflate; client_no_context_takeover; server_no_context_takeover$/);
		await connectSpeaker(ws, { withoutNotices: true });
		await opened(2);
		client.write(deflatedFrame('to the server'));
		await until(() => received.length === 1, { what: 'the message has been received' });
		expect(received).toEqual(['to the server']);

		const socketId = sockets[0]?.data.socketId as string;
		const json = JSON.stringify({ text: LONG });
		const ways: [string, () => unknown][] = [
			['publish', () => app.socket.publish('all', LONG)],
			['publish with except', () => app.socket.publish('all', LONG, { except: sockets[1]?.data.socketId as string })],
			['ws.publish of another', () => sockets[1]?.publish('all', LONG)],
			['send', () => app.socket.send(socketId, LONG)],
			['broadcast', () => app.socket.broadcast(LONG)],
			['ws.send', () => sockets[0]?.send(LONG)],
			['ws.sendText', () => sockets[0]?.sendText(LONG)],
			['a request', () => client.send(JSON.stringify({ type: 'ask', data: LONG, correlationId: '1' }))],
			['what could be mistaken for the protocol', () => app.socket.publish('all', json)],
		];
		for (const [index, [way, send]] of ways.entries()) {
			await send();
			const { text, isCompressed } = await arrives(client, index);
			expect([way, isCompressed]).toEqual([way, true]);
			expect(text).toContain(LONG);
		}
	});

	it('a plain client gets its payloads, compressed', async () => {
		const { app, opened, port } = await application({ perMessageDeflate: true });
		const client = await connectDeflatingPlain(port);
		await opened(1);
		const json = JSON.stringify({ text: LONG });
		await app.socket.publish('all', json);

		expect(await arrives(client, 0)).toEqual({ text: json, isCompressed: true });
	});

	it('clients that do and that do not offer it hear the same', async () => {
		const { app, received, opened, ws, port } = await application({ perMessageDeflate: true });
		const clients = [await connectRawWebSocket(port), await connectDeflating(port)];
		const others = [await connectClient(ws), await connectSpeaker(ws, { withoutNotices: true })];
		await opened(4);
		await app.socket.publish('all', LONG);
		for (const [index, client] of clients.entries()) {
			expect(await arrives(client, 0)).toEqual({ text: LONG, isCompressed: index === 1 });
		}
		for (const other of others) {
			expect(await other.next()).toBe(LONG);
			// Bun's client compresses what it sends, too.
			other.send(LONG);
		}
		await until(() => received.length === 2, { what: 'both have been received' });
		expect(received).toEqual([LONG, LONG]);
	});

	it('messages shorter than 1,024 bytes are not compressed, unless ws.send is told to', async () => {
		const { app, sockets, opened, port } = await application({ perMessageDeflate: true });
		const client = await connectDeflating(port);
		await opened(1);
		await app.socket.publish('all', SHORT);
		await app.socket.send(sockets[0]?.data.socketId as string, SHORT);
		sockets[0]?.send(SHORT);
		sockets[0]?.send(LONG, false);
		sockets[0]?.send(SHORT, true);

		for (const [index, isCompressed] of [false, false, false, false, true].entries())
			expect(await arrives(client, index)).toMatchObject({ isCompressed });
	});

	it('the threshold can be chosen', async () => {
		const { app, sockets, opened, port } = await application({ perMessageDeflate: { thresholdBytes: 10 } });
		const client = await connectDeflating(port);
		await opened(1);
		await app.socket.publish('all', 'x'.repeat(10));
		await app.socket.publish('all', 'x'.repeat(9));
		sockets[0]?.send('x'.repeat(10));
		sockets[0]?.send('x'.repeat(9));

		for (const [index, isCompressed] of [true, false, true, false].entries())
			expect(await arrives(client, index)).toMatchObject({ isCompressed });
	});

	it('the rate counts what messages inflate to', async () => {
		const { app, received, opened, port } = await application({
			perMessageDeflate: true,
			limits: { messageBytes: 10 * KIB, bytesPerSecond: 20 * KIB },
		});
		const client = await connectDeflating(port);
		await opened(1);
		const message = deflatedFrame('x'.repeat(10 * KIB));
		expect(message.length).toBeLessThan(100);
		for (let sent = 0; sent < 10; sent++) client.write(message);
		await client.closed();

		expect(client.close?.code).toBe(CloseCode.tooManyMessages);
		expect([received.length, app.refusals.flood]).toEqual([2, 1]);
	});

	it('a message that cannot be inflated ends its connection', async () => {
		const { app, received, port } = await application({ perMessageDeflate: true });
		const client = await connectDeflating(port);
		client.write(frame(new Uint8Array([0xff, 0xff, 0xff, 0xff]), { reservedBits: 4 }));
		await client.closed();

		expect([client.close?.code, received, app.refusals.frame]).toEqual([1007, [], 1]);
	});
});

describe('of two endpoints of one server', () => {
	/** Endpoints with one provider, on `/ws` and `/other`, and a client of each. */
	async function pair(options: WebSocketOptions, otherOptions: WebSocketOptions) {
		const logger = new RecordingLogger();
		const provider = new InProcWsProvider({ logger });
		const open = (ws: AppSocket): Promise<void> => ws.subscribe('all');
		const endpoint = new SocketEndpoint(provider, { logger, ...options }).onWebSocket({ open });
		const other = new SocketEndpoint(provider, { logger, path: '/other', ...otherOptions }).onWebSocket({ open });
		const { port } = await serveEndpoints(endpoint, other);
		const clients = [await connectDeflating(port), await connectDeflating(port, '/other')] as const;
		await until(() => provider.getTopicSubscriberCount('all') === 2, { what: 'both are subscribed' });
		return { endpoint, other, clients };
	}

	it.each([true, false])('only the one with perMessageDeflate negotiates it; the first: %j', async (isFirst) => {
		const { endpoint, clients } = await pair({ perMessageDeflate: isFirst }, { perMessageDeflate: !isFirst });
		const [on, off] = isFirst ? clients : [clients[1], clients[0]];
		await endpoint.socket.publish('all', LONG);

		expect([on.extensions, off.extensions]).toEqual([expect.stringContaining('deflate'), undefined]);
		expect(await arrives(on, 0)).toEqual({ text: LONG, isCompressed: true });
		expect(await arrives(off, 0)).toEqual({ text: LONG, isCompressed: false });
		off.write(deflatedFrame('compressed'));
		await off.closed();
		expect(off.close?.code).toBe(PROTOCOL_ERROR);
	});

	it('what is published is compressed from the lower threshold on', async () => {
		const { endpoint, clients } = await pair(
			{ perMessageDeflate: true },
			{ perMessageDeflate: { thresholdBytes: 10 } },
		);
		await endpoint.socket.publish('all', 'x'.repeat(9));
		await endpoint.socket.publish('all', 'x'.repeat(10));

		for (const client of clients) {
			expect(await arrives(client, 0)).toMatchObject({ isCompressed: false });
			expect(await arrives(client, 1)).toMatchObject({ isCompressed: true });
		}
	});

	it('a message is measured once it is inflated, by the limit of its own endpoint', async () => {
		const { endpoint, clients } = await pair(
			{ perMessageDeflate: true, limits: { messageBytes: KIB } },
			{ perMessageDeflate: true, limits: { messageBytes: 2 * KIB } },
		);
		for (const client of clients) client.write(deflatedFrame('x'.repeat(KIB + 1)));
		await clients[0].closed();

		expect([clients[0].close?.code, endpoint.refusals.messageSize]).toEqual([CloseCode.messageTooBig, 1]);
		clients[1].write(deflatedFrame('x'.repeat(2 * KIB + 1)));
		await clients[1].closed();
		expect(clients[1].close?.code).toBe(CloseCode.messageTooBig);
	});
});

describe('perMessageDeflate', () => {
	it.each<[unknown, string]>([
		['shared', "'shared'"],
		[1, '1'],
		[null, 'null'],
		[[], '[]'],
		[{ threshold: 1 }, '{ threshold: 1 }'],
		[{ thresholdBytes: -1 }, '{ thresholdBytes: -1 }'],
		[{ thresholdBytes: 1.5 }, '{ thresholdBytes: 1.5 }'],
		[{ thresholdBytes: '1' }, "{ thresholdBytes: '1' }"],
		[{ thresholdBytes: Infinity }, '{ thresholdBytes: Infinity }'],
	])('cannot be %j', (value) => {
		const perMessageDeflate = value as boolean;
		for (const [call, make] of [
			['websocket', () => new Application().websocket({ perMessageDeflate })],
			['new SocketEndpoint', () => new SocketEndpoint({ perMessageDeflate })],
		] as const) {
			expect(make).toThrow(ApplicationError);
			expect(make).toThrow(
				`${call}(): perMessageDeflate must be true, false, or { thresholdBytes } with a whole number of bytes, 0 or more, not `,
			);
		}
	});

	it('needs a limit for the bytes that a client may send', () => {
		const limits = { bytesPerSecond: Infinity };
		expect(() => new SocketEndpoint({ perMessageDeflate: true, limits })).toThrow(
			new ApplicationError(
				'new SocketEndpoint(): with perMessageDeflate, limits.bytesPerSecond must be finite: it bounds what the messages ' +
					'of one client inflate to, which can be hundreds of times their size on the wire',
			),
		);
		expect(() => new SocketEndpoint({ perMessageDeflate: false, limits })).not.toThrow();
	});
});
