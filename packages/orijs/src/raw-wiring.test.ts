import { SocketClient } from '@orijs/websocket-client';
import { connectClient, RecordingLogger, until } from '@orijs/testkit';
import { MemoryBackend } from '@orijs/websocket/testing';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import {
	SocketCoordinator,
	type SocketData,
	SocketMessage,
	SocketProtocol,
	SocketRouter,
	WsProvider,
} from './index.ts';

const Say = SocketMessage.define({ name: 'say', data: z.string(), reply: z.number() });
const Said = SocketMessage.define({ name: 'said', data: z.object({ text: z.string(), at: z.date() }) });
const Name = SocketMessage.define({ name: 'name', data: z.string(), reply: z.string() });

/** Text that a client which speaks the protocol could take for a message. */
const FORGED = '{"name":"said","data":{"text":"forged"},"timestamp":1}';

it('SocketClients are ready, subscribe, send, and get what either node sends, with plain clients beside them', async () => {
	const backend = new MemoryBackend();
	const [here, there] = [await startNode(backend), await startNode(backend)];
	const [one, other, plain] = [await connect(here.url), await connect(there.url), await connectClient(there.url)];
	expect([one.state, other.state, plain.protocol]).toEqual(['ready', 'ready', '']);
	expect(here.provider.isConnected(String(one.socketId))).toBe(true);
	for (const { data } of there.provider.getConnections()) await there.provider.subscribe(data.socketId, 'room:1');

	const heard: unknown[] = [];
	const raw: unknown[] = [];
	await other.subscribe('room:1', { onMessage: (data) => void heard.push(data) });
	other.onRaw((data) => void raw.push(data));
	await expect(other.subscribe('secret:1')).rejects.toMatchObject({ code: 'forbidden' });

	expect(await one.request(Say, 'hello')).toBe(1);
	await here.protocol.socket.publish('room:1', FORGED);
	await until(() => raw.length === 1 && plain.texts.length === 2, { what: 'both messages have arrived' });
	expect(heard).toEqual([{ text: 'hello', at: new Date(0) }]);
	expect(raw).toEqual([FORGED]);
	expect(JSON.parse(plain.texts[0] ?? '')).toMatchObject({ name: 'said', topic: 'room:1' });
	expect(plain.texts[1]).toBe(FORGED);

	plain.send('{"type":"say","data":"from a plain client"}');
	await until(() => there.raw.length === 1, { what: 'the plain message has arrived' });
	expect([here.raw, there.raw]).toEqual([[], ['{"type":"say","data":"from a plain client"}']]);
	expect([...here.log.errors, ...there.log.errors]).toEqual([]);
});

it('requests reach clients of either node, and fail as soon as the client leaves', async () => {
	const backend = new MemoryBackend();
	const [here, there] = [await startNode(backend), await startNode(backend)];
	const client = await connect(there.url);
	const asked = Promise.withResolvers<void>();
	client.handle(Name, (title) => {
		if (title === 'Dr.') return 'Dr. Ada';
		asked.resolve();
		return new Promise<string>(() => {});
	});
	const socketId = String(client.socketId);
	expect(await here.protocol.socket.request(socketId, Name, 'Dr.')).toBe('Dr. Ada');
	expect(await there.protocol.socket.request(socketId, Name, 'Dr.')).toBe('Dr. Ada');
	const pending = here.protocol.socket.request(socketId, Name, 'Prof.', { timeoutMs: 60_000 });
	const outcome = expect(pending).rejects.toMatchObject({ name: 'SocketRequestError', code: 'disconnected' });
	await asked.promise;
	await client.close();
	await outcome;
});

it('a topic with history is read, rewound, and resumed by a client that was away', async () => {
	const node = await startNode(new MemoryBackend());
	const heard: unknown[] = [];
	for (const n of [1, 2, 3]) await node.protocol.socket.publish('log:1', `${n}`);
	const client = await connect(node.url);
	const { messages, recovered } = await client.history('log:1', { limit: 2 });
	expect([messages.map(({ data }) => data), recovered]).toEqual([['2', '3'], true]);
	const resumed: unknown[] = [];
	await client.subscribe('log:1', {
		rewind: 2,
		onMessage: (data) => void heard.push(data),
		onRecovered: (outcome) => void resumed.push(outcome),
	});
	await until(() => heard.length === 2, { what: 'the latest messages have arrived' });

	const { socketId } = client;
	node.provider.getConnection(String(socketId))?.terminate();
	await node.protocol.socket.publish('log:1', '4');
	await until(() => resumed.length === 1 && heard.length === 3, { what: 'the client has resumed' });
	expect([heard, resumed]).toEqual([['2', '3', '4'], [{ recovered: true, count: 1 }]]);
	expect(client.socketId).not.toBe(socketId);
});

it('gaps are reported to clients, those in a topic only to its subscribers', async () => {
	const node = await startNode(new MemoryBackend());
	const [inside, outside] = [await connect(node.url), await connect(node.url)];
	await inside.subscribe('room:1');
	const gaps: [string, unknown][] = [];
	inside.onGap(({ topic }) => void gaps.push(['inside', topic]));
	outside.onGap(({ topic }) => void gaps.push(['outside', topic]));
	node.interrupt(['room:1']);
	node.provider.flushGaps();
	await until(() => gaps.length === 1, { what: 'the subscriber is told' });
	expect(gaps.splice(0)).toEqual([['inside', 'room:1']]);
	node.interrupt('all');
	node.provider.flushGaps();
	await until(() => gaps.length === 3, { what: 'all are told' });
	expect(new Set(gaps.map(String))).toEqual(new Set(['inside,*', 'inside,room:1', 'outside,*']));
});

it('without accept(), SocketClient reports that there is no endpoint, and sends nothing', async () => {
	const node = await startNode(new MemoryBackend(), { accepts: false });
	const client = new SocketClient(node.url, { auth: () => 'secret' });
	onTestFinished(() => client.close());
	const reported = Promise.withResolvers<string>();
	client.onError((error) => reported.resolve(error.message));
	client.connect().catch(() => {});
	expect(await reported.promise).toContain('no OriJS endpoint: it does not confirm orijs.1');
	expect(node.raw).toEqual([]);
});

async function connect(url: string): Promise<SocketClient> {
	const client = new SocketClient(url, { reconnect: { minDelayMs: 1 } });
	onTestFinished(() => client.close());
	await client.connect();
	return client;
}

/** Starts a server that is wired as in the quick start of `@orijs/websocket`. */
async function startNode(backend: MemoryBackend, { accepts = true } = {}) {
	const log = new RecordingLogger();
	const bus = backend.createBus();
	const start = bus.start.bind(bus);
	let interrupted = (_: readonly string[] | 'all'): void => {};
	bus.start = (handlers) => {
		interrupted = (topics) => handlers.interrupted(topics, Date.now(), 'interrupted by the test');
		return start(handlers);
	};
	const provider = new WsProvider({ bus, logger: log, graceMs: 0, history: { 'log:*': { size: 10, ttlMs: 60_000 } } });
	const coordinator = new SocketCoordinator({ provider, logger: log });
	let said = 0;
	const router = new SocketRouter().on(Say, async (ctx) => {
		await ctx.emit(Said, 'room:1', { text: ctx.data, at: new Date(0) });
		return ++said;
	});
	const protocol = new SocketProtocol(provider, {
		routers: [router],
		authorize: { subscribe: (_, topic) => !topic.startsWith('secret:') },
		logger: log,
	});
	const raw: unknown[] = [];
	const server = Bun.serve<SocketData>({
		port: 0,
		fetch(req, server) {
			const data = { socketId: crypto.randomUUID(), data: {}, topics: new Set<string>() };
			return server.upgrade(req, accepts ? protocol.accept(req, data) : { data }) ? undefined : new Response();
		},
		websocket: {
			open: (ws) => void coordinator.addConnection(ws),
			message(ws, message) {
				if (!protocol.handle(ws, message)) raw.push(message);
			},
			close(ws) {
				coordinator.removeConnection(ws.data.socketId);
				protocol.close(ws);
			},
		},
	});
	onTestFinished(async () => {
		protocol.stop();
		await provider.stop();
		await server.stop(true);
	});
	provider.setServer(server);
	await provider.start();
	const interrupt = (topics: readonly string[] | 'all') => interrupted(topics);
	return { provider, protocol, log, raw, interrupt, url: `ws://localhost:${server.port}/ws` };
}
