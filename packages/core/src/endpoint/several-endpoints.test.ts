import { connectClient, connectSpeaker, RecordingLogger, until } from '@orijs/testkit';
import { InProcWsProvider, SocketMessage, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { handlers, type Limits, SocketEndpoint, type SocketEndpointOptions, SocketRouter } from '../index.ts';
import { connectRawWebSocket } from '../test-support/raw-web-socket.ts';
import { serveEndpoints } from '../test-support/serve-endpoints.ts';
import { parse, sendTyped } from '../test-support/typed-client.ts';

const Ask = SocketMessage.define({ name: 'ask', data: z.string(), reply: z.string() });
const Relay = SocketMessage.define({ name: 'relay', data: z.string(), reply: z.string() });

const KIB = 1024;

/** Two endpoints of one server, on `/ws` and `/admin`, with one provider; their sockets are all subscribed to `all`. */
async function pair(options: SocketEndpointOptions = {}, adminOptions: SocketEndpointOptions = {}) {
	const logger = new RecordingLogger();
	const provider = new InProcWsProvider({ logger });
	const ids = { users: [] as string[], admins: [] as string[] };
	const users = new SocketEndpoint(provider, { logger, ...options }).onWebSocket({
		open(ws) {
			ids.users.push(ws.data.socketId);
			return ws.subscribe('all');
		},
		message: (ws, text) => void ws.send(`user ${String(text).length}`),
	});
	const admins = new SocketEndpoint(provider, { logger, path: '/admin', ...adminOptions }).onWebSocket({
		open(ws) {
			ids.admins.push(ws.data.socketId);
			return ws.subscribe('all');
		},
		message: (ws, text) => void ws.send(`admin ${String(text).length}`),
	});
	const served = await serveEndpoints(users, admins);
	return { ...served, admin: `ws://localhost:${served.port}/admin`, provider, users, admins, ids, logger };
}

describe('two endpoints of one server', () => {
	it('share a provider and its topics, and each has its handlers', async () => {
		const { ws, admin, users, admins, provider } = await pair();
		const [user, boss] = [await connectClient(ws), await connectClient(admin)];
		await admins.socket.publish('all', 'one');
		await users.socket.publish('all', 'two');
		for (const client of [user, boss]) expect(await client.received(2)).toEqual(['one', 'two']);
		user.send('hello');
		boss.send('hello');
		expect([(await user.received(3))[2], (await boss.received(3))[2]]).toEqual(['user 5', 'admin 5']);
		expect(provider.getConnectionCount()).toBe(2);
	});

	it('can have providers of their own', async () => {
		const users = new SocketEndpoint().onWebSocket({ open: (ws) => ws.subscribe('all') });
		const admins = new SocketEndpoint({ path: '/admin' }).onWebSocket({ open: (ws) => ws.subscribe('all') });
		const { ws, port } = await serveEndpoints(users, admins);
		const [user, boss] = [await connectClient(ws), await connectClient(`ws://localhost:${port}/admin`)];
		await users.socket.broadcast('for users');
		await admins.socket.broadcast('for admins');
		expect([await user.received(1), await boss.received(1)]).toEqual([['for users'], ['for admins']]);

		await users.socket.publish('all', 'users only');
		await admins.socket.publish('all', 'admins only');
		await Promise.all([users.socket.broadcast('end'), admins.socket.broadcast('end')]);
		expect([await user.received(3), await boss.received(3)]).toEqual([
			['for users', 'users only', 'end'],
			['for admins', 'admins only', 'end'],
		]);
	});

	it('stop on their own: only their sockets are closed, and the provider stops with the last', async () => {
		const { ws, admin, users, admins, provider, server } = await pair();
		const [user, boss] = [await connectClient(ws), await connectClient(admin)];
		await admins.stop();
		expect((await boss.closed).code).toBe(1012);
		await users.socket.publish('all', 'still here');
		expect(await user.next()).toBe('still here');
		expect([provider.status, provider.getConnectionCount()]).toEqual(['ready', 1]);
		await expect(admins.start(server)).rejects.toThrow('start(): the endpoint has stopped; create another one');

		await users.stop();
		expect((await user.closed).code).toBe(1012);
		expect(provider.status).toBe('stopped');
	});

	it('let one replace another that has stopped, also on the same path', async () => {
		const { ws, admins, users, server, provider } = await pair();
		await admins.stop();
		const again = new SocketEndpoint(provider, { path: '/ws' });
		void again.websocket;
		await expect(again.start(server)).rejects.toThrow('start(): two endpoints have the path /ws');
		await users.stop();
		await again.start(server);
		expect(provider.status).toBe('ready');
		await expect(connectClient(ws)).rejects.toThrow('503');
		await again.stop();
	});
});

describe('each endpoint enforces its own limits', () => {
	it.each([
		['text', 'x'.repeat(KIB + 1)],
		['text of two bytes each', 'é'.repeat(KIB / 2 + 1)],
		['bytes', new Uint8Array(KIB + 1)],
	])('messageBytes: %s', async (_, tooLong) => {
		const { ws, admin, users, admins } = await pair(
			{ limits: { messageBytes: KIB } },
			{ limits: { messageBytes: 64 * KIB } },
		);
		const [user, boss] = [await connectClient(ws), await connectClient(admin)];
		user.send('x'.repeat(KIB));
		expect(await user.next()).toBe(`user ${KIB}`);
		boss.send('x'.repeat(64 * KIB));
		expect(await boss.next()).toBe(`admin ${64 * KIB}`);

		user.send(tooLong);
		expect(await user.closed).toEqual({ code: 1009, reason: 'Received too big message' });
		boss.send('x'.repeat(64 * KIB + 1));
		expect(await boss.closed).toEqual({ code: 1009, reason: 'Received too big message' });
		await until(() => admins.refusals.messageSize === 1, { what: 'the refusal is counted' });
		expect(users.refusals.messageSize).toBe(1);
	});

	it.each(['publish', 'send'] as const)('queuedBytes, of slow readers when there is much to %s', async (how) => {
		const { port, users, admins, ids, provider } = await pair(
			{ limits: { queuedBytes: 64 * KIB } },
			{ limits: { queuedBytes: 64 * KIB * KIB } },
		);
		const user = await connectRawWebSocket(port);
		const boss = await connectRawWebSocket(port, { path: '/admin' });
		await until(() => ids.users.length + ids.admins.length === 2, { what: 'both are open' });
		user.pause();
		boss.pause();
		const block = 'x'.repeat(16 * KIB);
		for (let i = 0; i < 2_000 && users.refusals.slowReader === 0; i++) {
			if (how === 'publish') void users.socket.publish('all', block);
			else for (const id of [...ids.users, ...ids.admins]) void users.socket.send(id, block);
		}
		expect([users.refusals.slowReader, admins.refusals.slowReader]).toEqual([1, 0]);
		expect([...ids.users, ...ids.admins].map((id) => provider.isConnected(id))).toEqual([false, true]);
	});

	it('the counts of dropped messages belong to the endpoint of the slow reader', async () => {
		const drop = { slowReaders: 'drop', limits: { queuedBytes: 64 * KIB } } as const;
		const { port, admin, users, admins, ids } = await pair(drop, drop);
		await connectClient(admin);
		const user = await connectRawWebSocket(port);
		await until(() => ids.users.length + ids.admins.length === 2, { what: 'both are open' });
		user.pause();
		const block = 'x'.repeat(4 * KIB);
		for (let i = 0; i < 10_000 && users.refusals.slowReader === 0; i++) {
			void admins.socket.publish('all', block);
			// The other client reads.
			if (i % 8 === 7) await Bun.sleep(0);
		}
		expect([users.refusals.slowReader, admins.refusals.slowReader]).toEqual([1, 0]);
	});

	it('idleTimeoutMs', async () => {
		const { port, users, admins } = await pair(
			{ limits: { idleTimeoutMs: 8_000, pingIntervalMs: 1_000 } },
			{ limits: { idleTimeoutMs: 100_000, pingIntervalMs: 1_000 } },
		);
		const user = await connectRawWebSocket(port);
		const boss = await connectRawWebSocket(port, { path: '/admin' });
		await until(() => user.isClosed, { what: 'the silent user is cut', timeoutMs: 12_000 });
		expect(boss.isClosed).toBe(false);
		expect([users.refusals.idle, admins.refusals.idle]).toEqual([1, 0]);
	});

	it('and Bun gets the largest of each', () => {
		const small = { messageBytes: KIB, idleTimeoutMs: 8_000, queuedBytes: KIB };
		const large = { messageBytes: 2 * KIB, idleTimeoutMs: 100_000, queuedBytes: 2 * KIB };
		const at = (path: string, limits: Limits) => new SocketEndpoint({ path, limits });
		const alone = new SocketEndpoint({ limits: large }).websocket;
		for (const both of [handlers(at('/a', small), at('/b', large)), handlers(at('/a', large), at('/b', small))]) {
			for (const limit of ['maxPayloadLength', 'idleTimeout', 'backpressureLimit'] as const)
				expect([limit, both[limit]]).toEqual([limit, alone[limit]]);
		}
	});
});

it('a gap is told once to the subscribers of each endpoint that speak the protocol', async () => {
	const logger = new RecordingLogger();
	const bus = new MemoryBackend().createBus();
	const start = bus.start.bind(bus);
	let interrupt = (): void => {};
	bus.start = (listeners) => {
		interrupt = () => listeners.interrupted(['news'], 1_000, 'interrupted by the test');
		return start(listeners);
	};
	const provider = new WsProvider({ bus, logger });
	const endpoints = ['/ws', '/admin'].map((path) =>
		new SocketEndpoint(provider, { path, logger, authorize: { subscribe: () => true } }).onWebSocket({
			open: (ws) => (ws.subprotocol === undefined ? ws.subscribe('news') : undefined),
		}),
	) as [SocketEndpoint, SocketEndpoint];
	const { http } = await serveEndpoints(...endpoints);
	const plain = [await connectClient(`${http}/ws`), await connectClient(`${http}/admin`)];
	const clients = [await connectSpeaker(`${http}/ws`), await connectSpeaker(`${http}/admin`)];
	for (const client of clients) {
		sendTyped(client, '@subscribe', { topic: 'news' }, 's');
		await client.next();
	}
	interrupt();
	for (const client of clients)
		expect(parse(await client.next())).toMatchObject({ type: '@gap', data: { topic: 'news' } });
	await endpoints[0].socket.broadcast('"marker"');
	for (const client of [...clients, ...plain]) expect(await client.next()).toBe('"marker"');
	expect(plain.map(({ messages }) => messages.length)).toEqual([1, 1]);
});

describe('requests to clients of another endpoint', () => {
	it('are answered, also when sent by a handler', async () => {
		const logger = new RecordingLogger();
		const provider = new InProcWsProvider({ logger });
		const ids: string[] = [];
		const users = new SocketEndpoint(provider, { authorize: {} }).onWebSocket({
			open: ({ data }) => void ids.push(data.socketId),
		});
		const admins: SocketEndpoint = new SocketEndpoint(provider, { path: '/admin' }).socketRouter(
			new SocketRouter().on(Relay, ({ data }) => admins.socket.request(ids[0] ?? '', Ask, data)),
		);
		const { ws, port } = await serveEndpoints(users, admins);
		const [user, boss] = [await connectSpeaker(ws), await connectSpeaker(`ws://localhost:${port}/admin`)];
		await until(() => ids.length === 1, { what: 'the user is open' });

		sendTyped(boss, 'relay', 'who?', 'r');
		const { correlationId } = parse(await user.next()) as { correlationId: string };
		sendTyped(user, '@reply', 'me', correlationId);
		expect(parse(await boss.next())).toMatchObject({ correlationId: 'r', data: 'me' });
		expect(user.texts).toHaveLength(1);

		const unanswered = admins.socket.request(ids[0] ?? '', Ask, 'again?');
		await user.next();
		await user.close();
		await expect(unanswered).rejects.toMatchObject({ code: 'disconnected' });
	});

	it('are answered across nodes, and sent once', async () => {
		const backend = new MemoryBackend();
		const logger = new RecordingLogger();
		const provider = () => new WsProvider({ bus: backend.createBus(), logger });
		const ids: string[] = [];
		const there = provider();
		const users = new SocketEndpoint(there, { authorize: {} }).onWebSocket({
			open: ({ data }) => void ids.push(data.socketId),
		});
		const admins = new SocketEndpoint(there, { path: '/admin', authorize: {} });
		const { ws } = await serveEndpoints(users, admins);
		const here = new SocketEndpoint(provider(), { authorize: {} });
		await serveEndpoints(here);
		const user = await connectSpeaker(ws);
		await until(() => ids.length === 1, { what: 'the user is open' });

		const answers = ['one?', 'two?'].map((text) => here.socket.request(ids[0] ?? '', Ask, text));
		for (const text of ['one', 'two']) {
			const { correlationId } = parse(await user.next()) as { correlationId: string };
			sendTyped(user, '@reply', text, correlationId);
		}
		expect(await Promise.all(answers)).toEqual(['one', 'two']);
		expect(user.texts).toHaveLength(2);
	});

	it('are no longer sent by an endpoint that has stopped', async () => {
		const { ws, users, admins, ids } = await pair({ authorize: {} });
		const user = await connectSpeaker(ws);
		await until(() => ids.users.length === 1, { what: 'the user is open' });
		const [id = ''] = ids.users;
		await admins.stop();
		await expect(admins.socket.request(id, Ask, 'who?')).rejects.toMatchObject({
			code: 'disconnected',
			message: expect.stringContaining('the application has stopped') as string,
		});

		const answer = users.socket.request(id, Ask, 'still here?');
		const { data, correlationId } = parse(await user.next((text) => String(text).includes('correlationId')));
		expect(data).toBe('still here?');
		sendTyped(user, '@reply', 'yes', String(correlationId));
		expect(await answer).toBe('yes');
	});
});
