import { connectClient, connectSpeaker, RecordingLogger } from '@orijs/testkit';
import { InProcWsProvider, type SocketData, SocketMessage, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import {
	Application,
	ApplicationError,
	handlers,
	SocketEndpoint,
	type SocketEndpointOptions,
	SocketRouter,
} from '../index.ts';
import { handshake, serve } from '../test-support/serve.ts';
import { openServer, serveEndpoints } from '../test-support/serve-endpoints.ts';

const Note = SocketMessage.define({ name: 'note', data: z.string() });
const error = (message: string) => new ApplicationError(message);
const at = (path: string, options: SocketEndpointOptions = {}) =>
	new SocketEndpoint({ path, logger: new RecordingLogger(), ...options });

describe('handlers() refuses', () => {
	it.each([
		['/ws', '/ws'],
		['/ws', '/ws/'],
		['/rooms/:room', '/rooms/:name/'],
	])('the paths %s and %s, which are the same', (one, other) => {
		expect(() => handlers(at(one), at('/x'), at(other))).toThrow(
			error(`handlers(): two endpoints have the path ${other}`),
		);
	});

	it('endpoints that treat slow readers differently', () => {
		expect(() => handlers(at('/a'), at('/b', { slowReaders: 'drop' }))).toThrow(
			error("handlers(): endpoints of one server must have the same slowReaders; /a has 'close', and /b 'drop'"),
		);
		const dropping = (path: string, queuedBytes: number) => at(path, { slowReaders: 'drop', limits: { queuedBytes } });
		handlers(dropping('/a', 1_000), dropping('/b', 1_000));
		expect(() => handlers(dropping('/a', 1_000), dropping('/b', 2_000))).toThrow(
			"with slowReaders 'drop' must have the same limits.queuedBytes; /a has 1000, and /b 2000",
		);
	});

	it.each([undefined, {}, new InProcWsProvider()])('%j, which is not an endpoint', (value) => {
		expect(() => handlers(at('/a'), value as never)).toThrow(
			'handlers(): pass endpoints, as in handlers(chat, admin), not',
		);
		expect(() => handlers(value as never)).toThrow('handlers(): pass endpoints');
	});
});

describe('new SocketEndpoint() refuses', () => {
	it.each([
		[[{ path: 'ws' }], 'new SocketEndpoint(): path must begin with /'],
		[[{ limits: { messageBytes: 0 } }], 'new SocketEndpoint(): limits.messageBytes must be'],
		[[{ allowedOrigins: 'x' }], 'new SocketEndpoint(): allowedOrigins must not be'],
		[[{ paths: '/ws' }], 'new SocketEndpoint(): there is no option paths; options are path, '],
		[[{ logger: {} }], 'new SocketEndpoint(): logger must have the methods'],
		[[{ logger: null }], 'new SocketEndpoint(): logger must be an object'],
		[['/ws'], 'new SocketEndpoint(): pass a provider, or options, or a provider followed by options, as in new'],
	])('%j', (given, message) => {
		expect(() => Reflect.construct(SocketEndpoint, given)).toThrow(ApplicationError);
		expect(() => Reflect.construct(SocketEndpoint, given)).toThrow(message);
	});
});

describe('start() rejects', () => {
	it('twice, and after the stop', async () => {
		const endpoint = at('/ws');
		const { server } = await serveEndpoints(endpoint);
		await expect(endpoint.start(server)).rejects.toEqual(error('start() was called twice; an endpoint starts once'));
		await endpoint.stop();
		await expect(endpoint.start(server)).rejects.toEqual(
			error('start(): the endpoint has stopped; create another one'),
		);
	});

	it('on a server that was made without its handlers', async () => {
		const { server } = await serveEndpoints(at('/ws'));
		await expect(at('/other').start(server)).rejects.toThrow(
			'start(): the server does not have the handlers of this endpoint: pass websocket: endpoint.websocket',
		);
	});

	it.each([undefined, {}, 3000])('without a server: %j', async (server) => {
		const endpoint = at('/ws');
		void endpoint.websocket;
		await expect(endpoint.start(server as never)).rejects.toThrow(
			'start(): pass the server that Bun.serve() has returned, not ',
		);
	});

	it('with a provider that another server or an application uses', async () => {
		const provider = new InProcWsProvider({ logger: new RecordingLogger() });
		await serve(new Application().websocket(provider));
		const endpoint = new SocketEndpoint(provider);
		const { server } = openServer(endpoint);
		const inUse = 'the provider is in use by another application or server; give each server its own';
		await expect(endpoint.start(server)).rejects.toEqual(error(inUse));

		const shared = new InProcWsProvider();
		await serveEndpoints(new SocketEndpoint(shared));
		const elsewhere = new SocketEndpoint(shared);
		await expect(elsewhere.start(openServer(elsewhere).server)).rejects.toEqual(error(inUse));
		await expect(new Application().websocket(shared).listen(0)).rejects.toThrow('the provider is in use by another');
	});

	it('when the provider can’t start, and can then be called again', async () => {
		const logger = new RecordingLogger();
		const bus = new MemoryBackend().createBus();
		const start = bus.start.bind(bus);
		let fails = true;
		bus.start = (...args) => (fails ? Promise.reject(new Error('no backend')) : start(...args));
		const router = new SocketRouter().on(Note, () => {});
		const endpoint = new SocketEndpoint(new WsProvider({ bus, logger }), { logger }).socketRouter(router);
		const opened = openServer(endpoint);
		await expect(endpoint.start(opened.server)).rejects.toThrow('no backend');
		expect((await handshake(opened)).status).toBe(503);

		fails = false;
		endpoint.onWebSocket({});
		await endpoint.start(opened.server);
		await connectClient(opened.ws);
	});

	it('when stop() is called meanwhile, which stops what has started', async () => {
		const logger = new RecordingLogger();
		const bus = new MemoryBackend().createBus();
		const started = Promise.withResolvers<void>();
		bus.start = () => started.promise;
		const provider = new WsProvider({ bus, logger });
		const endpoint = new SocketEndpoint(provider, { logger });
		const { server } = openServer(endpoint);
		const starting = endpoint.start(server);
		const stopped = endpoint.stop();
		started.resolve();
		await expect(starting).rejects.toEqual(error('stop() was called during start()'));
		await stopped;
		expect(provider.status).toBe('stopped');
	});
});

it('an endpoint can’t be configured once it has started', async () => {
	const endpoint = at('/ws');
	await serveEndpoints(endpoint);
	expect(() => endpoint.onWebSocket({})).toThrow(error('onWebSocket() must come before start()'));
	expect(() => endpoint.socketRouter(new SocketRouter())).toThrow(error('socketRouter() must come before start()'));
});

it('stop() refuses invalid options', async () => {
	const endpoint = at('/ws');
	await serveEndpoints(endpoint);
	await expect(endpoint.stop({ graceMs: -1 })).rejects.toThrow('stop(): graceMs must be a number of milliseconds');
	await expect(endpoint.stop({ readinessDelayMs: 1 } as never)).rejects.toThrow('there is no option readinessDelayMs');
});

describe('a server that does not have the handlers of its endpoint, although they were read', () => {
	async function serveMiswired(websocket?: Partial<Bun.WebSocketHandler<undefined>>) {
		const logger = new RecordingLogger();
		const endpoint = at('/ws', { logger, limits: { connections: 1 } });
		void endpoint.websocket;
		const received: unknown[] = [];
		const server = Bun.serve({
			port: 0,
			fetch: (req, server) => endpoint.handle(req, server as never) ?? new Response('none'),
			...(websocket && { websocket: { message: (_, message) => void received.push(message), ...websocket } }),
		} as Bun.Serve.Options<undefined>);
		onTestFinished(async () => {
			await endpoint.stop();
			await server.stop(true);
		});
		await endpoint.start(server as never);
		const http = server.url.origin;
		return { endpoint, logger, received, http, address: { port: server.port ?? 0, http, ws: '' } };
	}

	it('and has none: upgrades get 500, and take no slot', async () => {
		const { address, logger } = await serveMiswired();
		for (let i = 0; i < 2; i++) expect((await handshake(address)).status).toBe(500);
		expect(logger.errors[0]?.message).toContain('A connection could not be upgraded');
	});

	it('but others: these get nothing from a client that speaks the protocol, because the server is stopped', async () => {
		let opened = 0;
		const { http, received, endpoint, logger } = await serveMiswired({ open: () => void opened++ });
		const client = new WebSocket(`${http.replace('http', 'ws')}/ws`, ['orijs.none', 'orijs.1']);
		client.onopen = () => client.send('{"type":"@auth","data":"SECRET","correlationId":"a"}');
		await new Promise((resolve) => (client.onclose = resolve));
		expect([opened, received]).toEqual([1, []]);
		expect(endpoint.refusals.miswired).toBe(1);
		expect(logger.errors[0]?.message).toContain('its server has other websocket handlers, and was stopped');
		await expect(fetch(http)).rejects.toThrow();
	});

	it('but others: after a plain client has shown that, upgrades get 500, and the server goes on', async () => {
		const { address, http, received, endpoint, logger } = await serveMiswired({ open: (ws) => ws.close(1000) });
		expect((await (await connectClient(`${http}/ws`)).closed).code).toBe(1000);
		expect(logger.errors[0]?.message).toContain('its server has other websocket handlers. Pass websocket');
		await expect(connectSpeaker(`${http}/ws`)).rejects.toThrow('500');
		expect((await handshake(address)).status).toBe(500);
		expect([received, endpoint.refusals.miswired]).toEqual([[], 3]);
		expect(await (await fetch(http)).text()).toBe('none');
	});
});

it('a second server with the handlers of an endpoint gets 500, because its sockets would receive nothing', async () => {
	const logger = new RecordingLogger();
	const endpoint = at('/ws', { logger });
	const serve = () =>
		Bun.serve({ port: 0, fetch: (req, server) => endpoint.handle(req, server), websocket: endpoint.websocket });
	const [first, second] = [serve(), serve()];
	onTestFinished(async () => {
		await endpoint.stop();
		await Promise.all([first.stop(true), second.stop(true)]);
	});
	await endpoint.start(first);
	await expect(connectClient(`${second.url.origin}/ws`)).rejects.toThrow('500');
	expect(endpoint.refusals.miswired).toBe(1);
	expect(logger.errors[0]?.message).toContain('its server is not the one that was passed to start()');
	await connectClient(`${first.url.origin}/ws`);
});

it('a copy of the handlers with others among them counts as other handlers', async () => {
	const logger = new RecordingLogger();
	const endpoint = at('/ws', { logger });
	const received: unknown[] = [];
	const server = Bun.serve<SocketData>({
		port: 0,
		fetch: (req, server) => endpoint.handle(req, server),
		websocket: { ...endpoint.websocket, message: (_, message) => void received.push(message) },
	});
	onTestFinished(() => endpoint.stop());
	await endpoint.start(server);
	const client = new WebSocket(`${server.url.origin.replace('http', 'ws')}/ws`, ['orijs.none', 'orijs.1']);
	client.onopen = () => client.send('{"type":"@auth","data":"SECRET","correlationId":"a"}');
	await new Promise((resolve) => (client.onclose = resolve));
	expect([received, endpoint.refusals.miswired]).toEqual([[], 1]);
	expect(logger.errors[0]?.message).toContain('its server has other websocket handlers');
});

it('a connection that the program has upgraded itself is closed, and that is logged', async () => {
	const logger = new RecordingLogger();
	const endpoint = at('/ws', { logger });
	const server = Bun.serve({
		port: 0,
		fetch: (req, server) => {
			if (new URL(req.url).pathname !== '/own') return endpoint.handle(req, server);
			const data = { socketId: crypto.randomUUID(), data: undefined, topics: new Set<string>() };
			return server.upgrade(req, { data }) ? undefined : new Response('no');
		},
		websocket: endpoint.websocket,
	});
	try {
		await endpoint.start(server);
		const client = await connectClient(`${server.url.origin}/own`);
		expect(await client.closed).toEqual({ code: 1011, reason: 'not a connection of an endpoint' });
		expect(logger.errors.map(({ message }) => message)).toEqual([
			expect.stringContaining('was upgraded by server.upgrade()'),
		]);
		await connectClient(`${server.url.origin}/ws`);
	} finally {
		await endpoint.stop();
		await server.stop(true);
	}
});

describe.each([1, 2])('a server of %i endpoint(s) whose earlier handlers were replaced by server.reload()', (count) => {
	it.each([undefined, null, { mine: 1 }])('closes their sockets as soon as they send, with data %j', async (data) => {
		const logger = new RecordingLogger();
		const server = Bun.serve({
			port: 0,
			fetch: (req, server) => (server.upgrade(req, { data } as never) ? undefined : new Response('no')),
			websocket: { message() {} },
		}) as unknown as Bun.Server<SocketData>;
		const endpoints = ['/ws', '/b']
			.slice(0, count)
			.map((path, i) => at(path, { logger, limits: { messageBytes: 999 + i } }));
		const [endpoint, ...others] = endpoints as [SocketEndpoint, ...SocketEndpoint[]];
		try {
			const earlier = await connectClient(server.url.href);
			server.reload({
				fetch: (req: Request, server: Bun.Server<SocketData>) => endpoint.handle(req, server),
				websocket: handlers(endpoint, ...others),
			});
			await endpoint.start(server);
			earlier.send('still here');
			expect(await earlier.closed).toEqual({ code: 1011, reason: 'not a connection of an endpoint' });
			expect(logger.errors).toHaveLength(1);
			await connectSpeaker(`${server.url.origin}/ws`);
		} finally {
			await endpoint.stop();
			await server.stop(true);
		}
	});
});
