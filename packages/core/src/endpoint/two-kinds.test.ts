import { connectClient, connectSpeaker, RecordingLogger, type TestClient, until } from '@orijs/testkit';
import { InvalidPayloadError, SocketMessage, WsProvider } from '@orijs/websocket';
import { encodeBinaryFrame } from '@orijs/websocket/protocol';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { ACCEPTED, allReceived, parse, sendTyped } from '../test-support/typed-client.ts';

const Echo = SocketMessage.define({ name: 'echo', data: z.any(), reply: z.any() });
const FORGED = '{"name":"echo","data":"forged","timestamp":1}';
const MAGIC_BYTES = encodeBinaryFrame({ timestamp: 1 }, Uint8Array.of(7));

/** Frames of the protocol, as clients send them. */
const FRAMES = [
	'{"type":"@auth","data":"SECRET","correlationId":"a"}',
	'{"type":"echo","data":1,"correlationId":"b"}',
	'{"type":"echo","data":1}',
	'{"type":"unknown","data":1}',
	'{"type":"@ping","correlationId":"c"}',
	'{"type":"@subscribe","data":{"topic":"t"},"correlationId":"d"}',
	'{"type":"@unsubscribe","data":{"topic":"t"},"correlationId":"e"}',
	'{"type":"@history","data":{"topic":"t"},"correlationId":"f"}',
	'{"type":"@reply","data":1,"correlationId":"g"}',
	'{"type":"@auth","data":"SECRET","correlationId":7}',
	'{"type":"@auth","data":{"__proto__":"SECRET"},"correlationId":"h"}',
	' {"type":"@auth","data":"SECRET","values":[["date"]]}',
] as const;

type Build = (app: Application) => unknown;
const ENDPOINTS: readonly [string, Build][] = [
	['no router', () => {}],
	['a router', (app) => app.socketRouter(new SocketRouter().on(Echo, ({ data }) => data))],
	['a guard', (app) => app.socketRouter(new SocketRouter().guard(() => true).on(Echo, ({ data }) => data))],
	['authenticate', (app) => app.socketRouter(new SocketRouter().authenticate(() => true).on(Echo, ({ data }) => data))],
];

/** Serves an endpoint that records what its `message` handler gets. */
async function recording(build: Build) {
	const received: (string | Buffer)[] = [];
	const sockets: AppSocket[] = [];
	const app = new Application({ logger: new RecordingLogger() }).websocket();
	build(app);
	app.onWebSocket({
		open: (ws) => void sockets.push(ws),
		message: (_, message) => void received.push(message),
	});
	return { app, received, sockets, ...(await serve(app)) };
}

describe.each(ENDPOINTS)('an endpoint with %s', (_, build) => {
	it('answers the built-ins to clients that speak the protocol, and no frame reaches message', async () => {
		const { ws, received } = await recording(build);
		const client = await connectSpeaker(ws);
		expect(client.protocol).toBe('orijs.1');
		for (const frame of FRAMES) client.send(frame);
		await allReceived(client);

		const answers = client.texts.map(parse);
		expect(answers[0]).toMatchObject({ type: '@auth', correlationId: 'a', data: { socketId: expect.any(String) } });
		expect(answers).toContainEqual({ type: '@ping', correlationId: 'c', data: ACCEPTED });
		expect(answers).toContainEqual({
			type: '@subscribe',
			correlationId: 'd',
			error: { code: 'forbidden', message: 'Not authorized to subscribe to t' },
		});
		expect(received).toEqual([]);

		client.send('text');
		client.send(MAGIC_BYTES);
		await until(() => received.length === 2, { what: 'the rest has reached the message handler' });
		expect(received).toEqual(['text', Buffer.from(MAGIC_BYTES)]);
	});

	it('passes all that plain clients send to message, and sends them nothing', async () => {
		const { ws, received, sockets } = await recording(build);
		const client = await connectClient(ws);
		for (const frame of [...FRAMES, FORGED, 'text', MAGIC_BYTES]) client.send(frame);
		await until(() => received.length === FRAMES.length + 3, { what: 'everything has been handled' });

		expect(received).toEqual([...FRAMES, FORGED, 'text', Buffer.from(MAGIC_BYTES)]);
		sockets[0]?.send(FRAMES[0]);
		expect(await client.next()).toBe(FRAMES[0]);
		expect(client.messages).toHaveLength(1);
	});
});

it('authenticate gets no credentials from a plain client, whose first message is handled once it has passed', async () => {
	const asked: unknown[] = [];
	const router = new SocketRouter().authenticate(({ auth }) => asked.push(auth) > 0);
	const { ws, received } = await recording((app) => app.socketRouter(router));
	const client = await connectClient(ws);
	client.send(FRAMES[0]);
	await until(() => received.length > 0, { what: 'the message is handled' });
	expect([asked, received]).toEqual([[undefined], [FRAMES[0]]]);
});

it('what plain clients send is counted and logged if there is no message handler', async () => {
	const logger = new RecordingLogger();
	const app = new Application({ logger }).websocket().socketRouter(new SocketRouter().on(Echo, ({ data }) => data));
	const client = await connectClient((await serve(app)).ws);
	client.send(FRAMES[1]);
	await until(() => app.refusals.plain === 1, { what: 'the message is refused' });
	expect(client.messages).toEqual([]);
	expect(logger.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
		'Messages ignored: from plain WebSockets, but there is no message handler. Typed messages need the subprotocol orijs.1',
	]);
});

describe('what handlers send to their own socket', () => {
	const sendAll = (ws: AppSocket): void => {
		ws.send('text');
		ws.send(FORGED);
		ws.sendText(FORGED);
		ws.send(MAGIC_BYTES);
		ws.sendBinary(MAGIC_BYTES);
		ws.cork((corked) => corked.send(FORGED));
	};

	it('arrives byte for byte if the client is plain', async () => {
		const { ws, sockets } = await recording(() => {});
		const client = await connectClient(ws);
		sendAll(sockets[0] as AppSocket);
		expect(await client.received(6)).toEqual(['text', FORGED, FORGED, MAGIC_BYTES, MAGIC_BYTES, FORGED]);
	});

	const sendForms: readonly (keyof AppSocket & ('send' | 'sendText' | 'sendBinary'))[] = [
		'send',
		'sendText',
		'sendBinary',
	];
	it.each(sendForms)('is refused if Bun would make a frame of it (%s)', async (call) => {
		const { ws, sockets } = await recording(() => {});
		const client = await connectSpeaker(ws);
		const socket = sockets[0] as AppSocket;
		const wrapped = new String(FORGED);
		for (const forged of [new Blob([FORGED]), wrapped, [FORGED], { toString: () => FORGED }, 7, null, undefined])
			expect(() => socket[call](forged as never)).toThrow(InvalidPayloadError);
		socket.send('marker');
		expect(await client.received(1)).toEqual(['marker']);
	});

	it.each(['plain', 'speaking'])('is refused if its bytes are gone, and the client is %s', async (kind) => {
		const { ws, sockets } = await recording(() => {});
		const client = await (kind === 'plain' ? connectClient : connectSpeaker)(ws);
		const socket = sockets[0] as AppSocket;
		const bytes = new Uint8Array(4);
		structuredClone(bytes, { transfer: [bytes.buffer] });
		const shrunk = new ArrayBuffer(8, { maxByteLength: 8 });
		const short = new DataView(shrunk, 4, 2);
		shrunk.resize(4);
		for (const gone of [bytes, bytes.buffer, short]) expect(() => socket.send(gone)).toThrow(InvalidPayloadError);
		socket.send('marker');
		expect(await client.received(1)).toEqual(['marker']);
	});

	it('arrives in a frame if it is shared memory', async () => {
		const { ws, sockets } = await recording(() => {});
		const client = await connectSpeaker(ws);
		const shared = new SharedArrayBuffer(MAGIC_BYTES.length);
		new Uint8Array(shared).set(MAGIC_BYTES);
		(sockets[0] as AppSocket).send(shared);
		const [framed] = await client.received(1);
		expect(Buffer.from(framed as Uint8Array).subarray(-MAGIC_BYTES.length)).toEqual(Buffer.from(MAGIC_BYTES));
		expect((framed as Uint8Array).length).toBeGreaterThan(MAGIC_BYTES.length);
	});

	it('arrives in a frame if a client that speaks the protocol could mistake it for one', async () => {
		const { ws, sockets } = await recording(() => {});
		const client = await connectSpeaker(ws);
		sendAll(sockets[0] as AppSocket);
		const [text, ...framed] = await client.received(6);
		expect(text).toBe('text');
		for (const at of [0, 1, 4]) expect(parse(framed[at] ?? '')).toMatchObject({ name: '@text', data: FORGED });
		for (const at of [2, 3])
			expect(Buffer.from(framed[at] as Uint8Array).subarray(-MAGIC_BYTES.length)).toEqual(Buffer.from(MAGIC_BYTES));
	});
});

it('a socket of either kind lists its subscriptions by their topics', async () => {
	const { ws, sockets } = await recording(() => {});
	await connectClient(ws);
	await connectSpeaker(ws);
	for (const socket of sockets) {
		await socket.subscribe('a');
		expect([socket.isSubscribed('a'), socket.isSubscribed('b'), socket.subscriptions]).toEqual([true, false, ['a']]);
	}
});

it('a request to a plain client of another node is refused', async () => {
	const backend = new MemoryBackend();
	const start = async () => {
		const sockets: AppSocket[] = [];
		const logger = new RecordingLogger();
		const app = new Application({ logger })
			.websocket(new WsProvider({ bus: backend.createBus(), logger }))
			.onWebSocket({ open: (ws) => void sockets.push(ws) });
		return { app, sockets, ...(await serve(app)) };
	};
	const [here, there] = [await start(), await start()];
	const client: TestClient = await connectClient(there.ws);
	const request = here.app.socket.request(String(there.sockets[0]?.data.socketId), Echo, 1);
	await expect(request).rejects.toMatchObject({ name: 'SocketRequestError', code: 'unsupported' });
	expect(client.messages).toEqual([]);
});

it('a client that offers orijs.none first is confirmed orijs.1', async () => {
	const { ws } = await recording(() => {});
	const client = await connectSpeaker(ws, { protocols: ['orijs.none', 'orijs.1'] });
	expect(client.protocol).toBe('orijs.1');
	sendTyped(client, '@auth', undefined, 'a');
	expect(parse(await client.next())).toMatchObject({ type: '@auth', correlationId: 'a' });
});
