import { connectSpeaker, RecordingLogger, until } from '@orijs/testkit';
import { InProcWsProvider, type SocketData, SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, ApplicationError, SocketEndpoint, SocketProtocol, SocketRouter } from '../index.ts';
import { serveWired, type User } from '../test-support/serve-wired.ts';
import { sendTyped } from '../test-support/typed-client.ts';

const Note = SocketMessage.define({ name: 'note', data: z.string() });
const logger = new RecordingLogger();
const noting = () => new SocketRouter().on(Note, () => {});
const provider = () => new InProcWsProvider({ logger });

describe('new SocketProtocol() refuses', () => {
	it.each([
		[
			[],
			'pass the provider that connections are added to, as in new SocketProtocol(provider, { routers: [router] }), not',
		],
		[[{}], 'pass the provider'],
		[[new SocketRouter()], 'pass the provider'],
		[[provider(), null], 'pass an object with routers, authorize, presence, limits, logger, not null'],
		[[provider(), [noting()]], 'pass an object with routers'],
		[
			[provider(), { router: noting() }],
			'there is no option router; options are routers, authorize, presence, limits, logger',
		],
		[[provider(), { routers: noting() }], 'routers must be an array of SocketRouters'],
		[[provider(), { routers: [{}] }], 'routers must be an array of SocketRouters'],
		[[provider(), { authorize: () => true }], 'authorize must be { subscribe: '],
		[[provider(), { logger: {} }], 'logger must have the methods'],
		[[provider(), { limits: { messageDepth: 0 } }], 'limits.messageDepth must be'],
		[[provider(), { limits: { messages: 0 } }], 'there is no limit messages'],
		[
			[provider(), { limits: { messagesPerSecond: 1 } }],
			'limits.messagesPerSecond needs a SocketEndpoint; limits that',
		],
	])('%j', (given, message) => {
		const create = () => Reflect.construct(SocketProtocol, given);
		expect(create).toThrow(ApplicationError);
		expect(create).toThrow('new SocketProtocol(): ');
		expect(create).toThrow(message);
	});

	it('routers of others, twice the same, with connection guards, or for the same message; the provider stays free', () => {
		const free = provider();
		const create = (...routers: SocketRouter[]) => new SocketProtocol(free, { routers, logger });
		const taken = noting();
		new SocketEndpoint({ logger }).socketRouter(taken);
		const twice = noting();
		expect(() => create(taken)).toThrow('new SocketProtocol(): this router belongs to another endpoint');
		expect(() => create(twice, twice)).toThrow('new SocketProtocol(): this router was added twice');
		expect(() => create(noting(), noting())).toThrow('new SocketProtocol(): two routers handle note');
		expect(() => create(noting().guard(() => true))).toThrow(
			'new SocketProtocol(): a router has connection guards, which need a SocketEndpoint',
		);
		const own = noting();
		const protocol = create(own);
		expect(() => new SocketEndpoint({ logger }).socketRouter(own)).toThrow('this router belongs to another endpoint');
		protocol.stop();
		new SocketEndpoint({ logger }).socketRouter(own);
	});

	it('a provider in use, by another one, an endpoint or an application, until it is stopped', async () => {
		const used = provider();
		const error = 'the provider is in use by another application or server; give each server its own';
		const first = new SocketProtocol(used, { logger });
		expect(() => new SocketProtocol(used, { logger })).toThrow(new ApplicationError(error));
		await expect(new Application({ logger }).websocket(used).listen(0)).rejects.toThrow('the provider is in use');
		first.stop();
		new SocketProtocol(used, { logger }).stop();
	});
});

describe('accept() refuses', () => {
	const req = new Request('http://localhost/ws');
	const socketId = crypto.randomUUID();
	const accept = (...args: unknown[]) => {
		const protocol = new SocketProtocol(provider(), { logger });
		return () => Reflect.apply(protocol.accept, protocol, args) as unknown;
	};

	it.each([
		undefined,
		null,
		'data',
		{},
		{ data: {}, topics: new Set() },
		Object.freeze({ socketId, data: {}, topics: new Set() }),
	])('%j, which is not the data of a socket', (data) => {
		expect(accept(req, data)).toThrow(expect.objectContaining({ name: 'InvalidSocketDataError' }));
	});

	it('data that can’t be the state of handlers, and what is not a request', () => {
		expect(accept(req, { socketId, data: undefined, topics: new Set() })).toThrow(
			'accept(): data.data must be an object, which handlers find in ctx.state, not undefined',
		);
		expect(accept({ socketId, data: {}, topics: new Set() })).toThrow('accept(): pass the request and the data');
	});
});

it('accept() confirms only the subprotocol of clients that speak the protocol, and marks only their data', () => {
	const protocol = new SocketProtocol(provider(), { logger });
	const accept = (offer?: string, subprotocol?: string) => {
		const data: SocketData<object> = { socketId: crypto.randomUUID(), data: {}, topics: new Set(), subprotocol };
		const req = new Request('http://localhost', { headers: offer ? { 'Sec-WebSocket-Protocol': offer } : {} });
		const accepted = protocol.accept(req, data);
		expect(accepted.data).toBe(data);
		return [...accepted.headers, accepted.data.subprotocol];
	};
	expect(accept('orijs.none, orijs.1')).toEqual([['sec-websocket-protocol', 'orijs.1'], 'orijs.1']);
	expect(accept()).toEqual([undefined]);
	expect(accept('chat', 'chat')).toEqual(['chat']);
	expect(accept('orijs.10', 'orijs.1')).toEqual([undefined]);
});

it.each([undefined, {}, 'message'])('handle() and close() refuse %j, which is not a socket', (value) => {
	const protocol = new SocketProtocol(provider(), { logger });
	expect(() => protocol.handle(value as never, 'text')).toThrow(
		'handle(): pass the ws that Bun passes to message, not ',
	);
	expect(() => protocol.close(value as never)).toThrow('close(): pass the ws that Bun passes to close, not ');
});

it('a socket that was not added to the provider is closed at its first message, and the error is logged', async () => {
	const { speaker, log } = await serveWired({ routers: [], without: 'addConnection' });
	const client = await speaker();
	sendTyped(client, '@auth', undefined, 'a');
	sendTyped(client, '@auth', undefined, 'b');
	expect(await client.closed).toEqual({ code: 1011, reason: 'UnknownSocketError' });
	expect(log.errors).toMatchObject([
		{
			message: 'A connection was closed: its provider does not know the socket of a message',
			details: { err: { name: 'UnknownSocketError' } },
		},
	]);
	expect(client.messages).toEqual([]);
});

it('a socket that is marked as speaking the protocol but has no socketId is closed, and the error is logged', async () => {
	const log = new RecordingLogger();
	const protocol = new SocketProtocol(new InProcWsProvider({ logger: log }), { logger: log });
	const server = Bun.serve<SocketData<object>>({
		port: 0,
		fetch(req, server) {
			const data: Omit<SocketData<object>, 'socketId'> = { data: {}, topics: new Set(), subprotocol: 'orijs.1' };
			const headers = { 'Sec-WebSocket-Protocol': 'orijs.1' };
			return server.upgrade(req, { headers, data: data as SocketData<object> }) ? undefined : new Response();
		},
		websocket: { message: (ws, message) => void protocol.handle(ws, message), close: (ws) => protocol.close(ws) },
	});
	try {
		const client = await connectSpeaker(server.url.href.replace('http', 'ws'));
		sendTyped(client, '@auth', undefined, 'a');
		expect(await client.closed).toEqual({ code: 1011, reason: 'InvalidSocketDataError' });
		expect(log.errors).toMatchObject([{ details: { err: { name: 'InvalidSocketDataError' } } }]);
	} finally {
		await server.stop(true);
	}
});

it('without close(), what a client sent before it left is handled all the same, with an aborted signal', async () => {
	const started: string[] = [];
	const released = Promise.withResolvers<void>();
	const router = new SocketRouter<User>().on(Note, async ({ data, signal }) => {
		started.push(`${data}, aborted: ${signal.aborted}`);
		await released.promise;
	});
	const { speaker, provider: used, log } = await serveWired({ routers: [router], without: 'close' });
	const client = await speaker();
	sendTyped(client, 'note', 'first');
	sendTyped(client, 'note', 'second');
	await until(() => started.length === 1, { what: 'the first is handled' });
	await client.close();
	await until(() => used.getConnectionCount() === 0, { what: 'the client has left' });
	released.resolve();
	await until(() => started.length === 2, { what: 'the second is handled' });
	expect([started, log.problems]).toEqual([['first, aborted: false', 'second, aborted: true'], []]);
});
