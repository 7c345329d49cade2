import { until } from '@orijs/testkit';
import {
	DuplicateSocketError,
	InvalidPayloadError,
	type SocketData,
	SocketMessage,
	WsProvider,
} from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import type { ServerWebSocket } from 'bun';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { type AppSocket, SocketProtocol, SocketRouter } from '../index.ts';
import { connectRawWebSocket } from '../test-support/raw-web-socket.ts';
import { serveWired, type User } from '../test-support/serve-wired.ts';
import { answersOf, parse, parseFramed, sendTyped } from '../test-support/typed-client.ts';

const Add = SocketMessage.define({ name: 'add', data: z.array(z.number()), reply: z.number() });
const Wait = SocketMessage.define({ name: 'wait', data: z.number(), reply: z.number() });
const Who = SocketMessage.define({ name: 'who', data: z.null(), reply: z.string() });
const Said = SocketMessage.define({ name: 'said', data: z.string() });
const Name = SocketMessage.define({ name: 'name', data: z.string(), reply: z.string() });

const router = () => new SocketRouter<User>().on(Add, ({ data }) => data.reduce((sum, n) => sum + n, 0));
const FORGED = '{"name":"said","data":"forged","timestamp":1}';

/** A handler that waits until it is released, and the order in which it was called. */
function waiting() {
	const started: number[] = [];
	const released = new Map<number, () => void>();
	const routed = router().on(Wait, async ({ data }) => {
		started.push(data);
		await new Promise<void>((resolve) => released.set(data, resolve));
		return data;
	});
	return { routed, started, release: (n: number) => released.get(n)?.() };
}

it('a client that speaks the protocol is confirmed, ready, subscribed and answered; a plain one beside it is not touched', async () => {
	const { protocol, speaker, plain, raw } = await serveWired({
		routers: [router()],
		authorize: { subscribe: (_, topic) => topic.startsWith('public:') },
	});
	const [spoken, untouched] = [await speaker(), await plain()];
	expect([spoken.protocol, untouched.protocol]).toEqual(['orijs.1', '']);

	sendTyped(spoken, '@auth', undefined, 'a');
	expect(parse(await spoken.next())).toEqual({
		type: '@auth',
		correlationId: 'a',
		data: { socketId: expect.any(String), timestamp: expect.any(Number), messageBytes: 16 * 1024 * 1024 },
	});
	sendTyped(spoken, '@ping', undefined, 'p');
	sendTyped(spoken, 'add', [1, 2], 'b');
	sendTyped(spoken, 'add', 'x', 'c');
	sendTyped(spoken, 'none', 1, 'd');
	sendTyped(spoken, '@subscribe', { topic: 'private:1' }, 'e');
	sendTyped(spoken, '@subscribe', { topic: 'public:1' }, 'f');
	await spoken.received(7);
	expect(answersOf(spoken).slice(1)).toEqual([
		['b', 3],
		['c', 'invalid_data'],
		['d', 'unknown_type'],
		['e', 'forbidden'],
		['f', { timestamp: expect.any(Number) }],
	]);
	await protocol.socket.publish('public:1', FORGED);
	expect(parse(await spoken.next((message) => String(message).includes('forged')))).toMatchObject({ data: FORGED });

	sendTyped(untouched, 'add', [1, 2], 'b');
	untouched.send('{"type":"@subscribe","data":{"topic":"public:1"}}');
	untouched.send(new Uint8Array([1, 2]));
	await until(() => raw.length === 3, { what: 'the plain messages have arrived' });
	expect(raw[0]).toBe('{"type":"add","data":[1,2],"correlationId":"b"}');
	expect(untouched.messages).toEqual([]);
	expect(protocol.refusals).toMatchObject({ data: 1, unknownType: 1, forbidden: 1 });
});

it('what is no typed message stays the application’s own, at once, also while a handler runs', async () => {
	const { routed, started, release } = waiting();
	const { speaker, raw } = await serveWired({ routers: [routed] });
	const client = await speaker();
	const own = ['text', '[1]', '{"name":"x"}', '{"type":"', new Uint8Array([1, 2, 3])];
	for (const frame of own) client.send(frame);
	sendTyped(client, 'wait', 1, 'w');
	await until(() => started.length === 1, { what: 'the handler runs' });
	for (const frame of own) client.send(frame);
	await until(() => raw.length === 2 * own.length, { what: 'they have arrived' });
	expect(raw).toEqual([...own, ...own].map((frame) => (typeof frame === 'string' ? frame : Buffer.from(frame))));
	release(1);
	expect(parse(await client.next())).toMatchObject({ correlationId: 'w', data: 1 });
});

it('messages of one client are handled in order, one at a time; heartbeats, and other clients, don’t wait', async () => {
	const { routed, started, release } = waiting();
	const { speaker } = await serveWired({ routers: [routed] });
	const [one, other] = [await speaker(), await speaker()];
	sendTyped(one, 'wait', 1, '1');
	sendTyped(one, 'wait', 2, '2');
	sendTyped(one, 'add', [3], '3');
	sendTyped(one, '@ping', undefined, 'p');
	expect(parse(await one.next())).toMatchObject({ correlationId: 'p' });
	sendTyped(other, 'add', [4], '4');
	expect(parse(await other.next())).toMatchObject({ data: 4 });
	expect(started).toEqual([1]);
	release(1);
	await until(() => started.length === 2, { what: 'the second is handled' });
	release(2);
	await one.received(4);
	expect(answersOf(one)).toEqual([
		['1', 1],
		['2', 2],
		['3', 3],
	]);
});

it('reading is paused while too many messages wait, and none is lost', async () => {
	const { routed, started, release } = waiting();
	const { speaker, provider, raw } = await serveWired({ routers: [routed], limits: { queuedMessages: 2 } });
	const client = await speaker();
	sendTyped(client, 'wait', 0, '0');
	await until(() => started.length === 1, { what: 'the handler runs' });
	const [socket] = provider.getConnections();
	for (let i = 1; i <= 200; i++) sendTyped(client, 'add', [i], String(i));
	await until(() => socket?.isPaused === true, { what: 'reading is paused' });
	release(0);
	await client.received(201);
	expect(answersOf(client)).toEqual(Array.from({ length: 201 }, (_, i) => [String(i), i]));
	expect([socket?.isPaused, raw]).toEqual([false, []]);
});

it('a handler that takes too long is answered with timeout, and the next message is handled', async () => {
	const { routed } = waiting();
	const { speaker, protocol } = await serveWired({ routers: [routed], limits: { handlerTimeoutMs: 40 } });
	const client = await speaker();
	sendTyped(client, 'wait', 1, '1');
	sendTyped(client, 'add', [2], '2');
	await client.received(2);
	expect(answersOf(client)).toEqual([
		['1', 'timeout'],
		['2', 2],
	]);
	expect(protocol.refusals.handlerTimeout).toBe(1);
});

it('handlers find the data of the upgrade in ctx.state, and message guards and middleware run', async () => {
	const routed = new SocketRouter<User>()
		.use(async (ctx, next) => `${String(await next())} of ${ctx.state.user}`)
		.guardMessages(({ state }) => state.user !== 'eve')
		.on(Who, ({ state }) => state.user);
	const { speaker, protocol } = await serveWired({ routers: [routed] });
	const [ann, eve] = [await speaker(), await speaker('eve')];
	sendTyped(ann, 'who', null, '1');
	expect(parse(await ann.next())).toMatchObject({ data: 'ann of ann' });
	sendTyped(eve, 'who', null, '1');
	expect(parse(await eve.next())).toMatchObject({ error: { code: 'forbidden' } });
	expect(protocol.refusals.forbidden).toBe(1);
});

it('ctx.ws reaches every node and can’t be taken for the protocol, while the socket of the application stays Bun’s own', async () => {
	const sockets: AppSocket[] = [];
	const routed = new SocketRouter<User>().on(Said, async ({ ws, data }) => {
		sockets.push(ws);
		await ws.subscribe('t');
		ws.send(data);
		ws.sendText(data);
		ws.cork((corked) => corked.send(data));
		await ws.publish('t', data);
	});
	const { speaker, provider } = await serveWired({ routers: [routed], authorize: { subscribe: () => true } });
	const [client, other] = [await speaker(), await speaker()];
	sendTyped(other, '@subscribe', { topic: 't' }, 's');
	await other.next();
	sendTyped(client, 'said', FORGED);
	const [notice = '', ...frames] = await client.received(4);
	expect(parse(notice)).toMatchObject({ type: '@subscribed', data: { topics: [{ topic: 't' }] } });
	expect(frames.map((frame) => parse(frame))).toMatchObject(Array.from({ length: 3 }, () => ({ data: FORGED })));
	expect(parseFramed(await other.next())).toMatchObject({ name: 'said', data: 'forged' });
	const [ws] = sockets;
	for (const forged of [new Blob([FORGED]), [FORGED]])
		expect(() => ws?.send(forged as never)).toThrow(InvalidPayloadError);
	expect(ws).toMatchObject({ subprotocol: 'orijs.1', subscriptions: ['t'], readyState: 1, isPaused: false });
	expect([ws?.isSubscribed('t'), ws?.isSubscribed('u')]).toEqual([true, false]);

	const raw = provider.getConnection(String(ws?.data.socketId));
	expect(raw?.subscribe('native')).toBe(true);
	ws?.close(4000, 'enough');
	expect(await client.closed).toEqual({ code: 4000, reason: 'enough' });
	expect([ws?.readyState, ws?.subscriptions, ws?.isSubscribed('t')]).toEqual([3, [], false]);
});

it('what a handler’s client sent before it left is still handled; what it closed itself drops the rest', async () => {
	const { routed, started, release } = waiting();
	const aborted: boolean[] = [];
	routed.on(Said, ({ ws, signal }) => {
		aborted.push(signal.aborted);
		ws.close(4001);
	});
	const { speaker, provider, log } = await serveWired({ routers: [routed] });
	const leaving = await speaker();
	sendTyped(leaving, 'wait', 1);
	sendTyped(leaving, 'wait', 2);
	await until(() => started.length === 1, { what: 'the handler runs' });
	await leaving.close();
	await until(() => provider.getConnectionCount() === 0, { what: 'it has left' });
	release(1);
	await until(() => started.length === 2, { what: 'the second message is handled' });
	release(2);

	const kicked = await speaker();
	sendTyped(kicked, 'said', 'x');
	sendTyped(kicked, 'wait', 3);
	expect(await kicked.closed).toMatchObject({ code: 4001 });
	expect([started, aborted, log.problems]).toEqual([[1, 2], [false], []]);
});

it('requests to clients are answered, also within a handler, and fail when the client leaves or is plain', async () => {
	const routed = new SocketRouter<User>().on(Who, (ctx) => ctx.request(Name, 'full'));
	const { speaker, plain, protocol, provider } = await serveWired({ routers: [routed] });
	const client = await speaker();
	sendTyped(client, 'who', null, '1');
	const { correlationId, name } = parse(await client.next()) as { correlationId: string; name: string };
	expect(name).toBe('name');
	sendTyped(client, '@reply', 'Ann Lee', correlationId);
	expect(parse(await client.next())).toMatchObject({ correlationId: '1', data: 'Ann Lee' });

	const [socket] = provider.getConnections();
	const pending = protocol.socket.request(String(socket?.data.socketId), Name, 'x', { timeoutMs: 60_000 });
	const outcome = expect(pending).rejects.toMatchObject({ name: 'SocketRequestError', code: 'disconnected' });
	await client.next();
	await client.close();
	await outcome;
	await plain();
	const [other] = provider.getConnections();
	await expect(protocol.socket.request(String(other?.data.socketId), Name, 'x')).rejects.toMatchObject({
		code: 'unsupported',
	});
});

it('a message larger than limits.messageBytes closes the connection with 1009, before it is read', async () => {
	const { speaker, protocol } = await serveWired({ routers: [router()], limits: { messageBytes: 100 } });
	const client = await speaker();
	sendTyped(client, 'add', [1], '1');
	expect(parse(await client.next())).toMatchObject({ data: 1 });
	sendTyped(
		client,
		'add',
		Array.from({ length: 100 }, () => 1),
	);
	expect(await client.closed).toMatchObject({ code: 1009 });
	expect(protocol.refusals.messageSize).toBe(1);
});

it('a client to which an answer can’t be sent any more, because it does not read, is closed with 1013', async () => {
	const routed = new SocketRouter<User>().on(Name, () => 'x'.repeat(256 * 1024));
	const { server, protocol } = await serveWired({ routers: [routed], backpressureLimit: 1024 * 1024 });
	const client = await connectRawWebSocket(Number(server.port));
	client.pause();
	for (let i = 0; i < 64; i++) client.send(JSON.stringify({ type: 'name', data: '', correlationId: String(i) }));
	await until(() => protocol.refusals.slowReader === 1, { what: 'it is closed' });
	client.resume();
	await client.closed();
	expect(client.close).toEqual({ code: 1013, reason: 'reads too slowly' });
});

it('after stop, messages are refused with stopping, requests fail, and routers and provider are free', async () => {
	const routed = router();
	const { speaker, protocol, provider } = await serveWired({ routers: [routed] });
	const client = await speaker();
	const [socket] = provider.getConnections();
	const pending = protocol.socket.request(String(socket?.data.socketId), Name, 'x');
	const outcome = expect(pending).rejects.toMatchObject({ code: 'disconnected' });
	protocol.stop();
	protocol.stop();
	await outcome;
	await client.next();
	sendTyped(client, 'add', [1], '1');
	expect(parse(await client.next())).toMatchObject({ correlationId: '1', error: { code: 'stopping' } });
	new SocketProtocol(provider, { routers: [routed] }).stop();
});

it('messages of the application stay its own after stop(), and once a handler has closed the socket', async () => {
	const closing = new SocketRouter<User>().on(Said, ({ ws }) => ws.close(4000, 'done'));
	const { speaker, raw, protocol } = await serveWired({ routers: [closing] });
	const [closed, other] = [await speaker(), await speaker()];
	// In one read: Bun still passes on what has arrived when a handler closes the socket.
	sendTyped(closed, 'said', 'close');
	closed.send('after close');
	expect((await closed.closed).code).toBe(4000);

	protocol.stop();
	sendTyped(other, 'said', 'refused', 'a');
	other.send('{"my":"own"}');
	other.send('text');
	await until(() => raw.includes('text'), { what: 'the messages have arrived' });
	expect(raw.slice(-2)).toEqual(['{"my":"own"}', 'text']);
	expect(answersOf(other)).toEqual([['a', 'stopping']]);
});

it('handle() reports a message as the application’s own also while the socket is closing', async () => {
	const sockets: ServerWebSocket<SocketData<User>>[] = [];
	const { speaker, protocol } = await serveWired({ routers: [router()], onOpen: (ws) => sockets.push(ws) });
	const client = await speaker();
	sendTyped(client, 'add', [1], 'a');
	await client.next();
	const [ws] = sockets as [ServerWebSocket<SocketData<User>>];
	ws.close();
	expect([protocol.handle(ws, 'text'), protocol.handle(ws, '{"my":1}'), protocol.handle(ws, '{"type":"add"}')]).toEqual(
		[false, false, true],
	);
});

it('open() tells a client that speaks the protocol, and no other, if other nodes could not reach it for a while', async () => {
	const bus = new MemoryBackend().createBus();
	const subscribe = bus.subscribe.bind(bus);
	let isAway = false;
	const back = Promise.withResolvers<void>();
	bus.subscribe = async (channels) => {
		if (isAway) await back.promise;
		return subscribe(channels);
	};
	const { speaker, plain, protocol, provider } = await serveWired({ provider: new WsProvider({ bus }) });
	const early = await speaker();
	isAway = true;
	const since = performance.now();
	const [late, untouched] = [await speaker(), await plain()];
	await until(() => provider.getConnectionCount() === 3, { what: 'all are open' });
	await until(() => performance.now() - since > 300, { what: 'some time has passed' });
	back.resolve();
	expect(parse(await late.next())).toEqual({
		type: '@gap',
		data: { topic: '*', since: expect.any(Number) as number, until: expect.any(Number) as number },
	});
	await protocol.socket.broadcast('marker');
	for (const client of [early, untouched]) expect(await client.received(1)).toEqual(['marker']);
});

it('open() logs what addConnection refuses, if it is not awaited', async () => {
	const socketId = crypto.randomUUID();
	const { protocol, speaker, log } = await serveWired({
		onOpen: (ws) => Object.assign(ws.data, { socketId }),
	});
	const [first, second] = [await speaker(), await speaker()];
	expect(await second.closed).toEqual({ code: 1011, reason: 'DuplicateSocketError' });
	const failures = () => log.lines.flatMap(({ level, details }) => (details?.['err'] ? [[level, details['err']]] : []));
	await until(() => failures().length > 0, { what: 'the failure is logged' });
	expect(failures()).toEqual([['warn', expect.any(DuplicateSocketError)]]);
	await protocol.socket.send(socketId, 'still here');
	expect(await first.next()).toBe('still here');
	expect(() => protocol.open({} as never)).toThrow('open(): pass the ws that Bun passes to open, not {…}');
});
