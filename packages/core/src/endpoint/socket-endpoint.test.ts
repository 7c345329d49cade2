import { connectClient, connectSpeaker, RecordingLogger, until } from '@orijs/testkit';
import { InProcWsProvider, SocketMessage } from '@orijs/websocket';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { SocketEndpoint, SocketRouter } from '../index.ts';
import { handshake } from '../test-support/serve.ts';
import { openServer, serveEndpoints } from '../test-support/serve-endpoints.ts';
import { parse, sendTyped } from '../test-support/typed-client.ts';

const Add = SocketMessage.define({ name: 'add', data: z.array(z.number()), reply: z.number() });
const Ask = SocketMessage.define({ name: 'ask', data: z.string(), reply: z.string() });

const adding = () => new SocketRouter().on(Add, ({ data }) => data.reduce((sum, n) => sum + n, 0));
const logger = () => new RecordingLogger();

it('an endpoint in a server of one’s own answers typed messages, publishes, asks, and leaves HTTP to the server', async () => {
	const ids: string[] = [];
	const endpoint = new SocketEndpoint(new InProcWsProvider(), { authorize: { subscribe: () => true } })
		.socketRouter(adding())
		.onWebSocket({ open: ({ data }) => void ids.push(data.socketId) });
	const { http, ws } = await serveEndpoints(endpoint);
	const client = await connectSpeaker(ws);

	sendTyped(client, 'add', [1, 2, 3], 'a');
	expect(parse(await client.next())).toMatchObject({ correlationId: 'a', data: 6 });
	sendTyped(client, '@subscribe', { topic: 'news' }, 's');
	await client.next();
	await endpoint.socket.publish('news', 'hello');
	expect(await client.next()).toBe('hello');
	const answer = endpoint.socket.request(ids[0] ?? '', Ask, 'who?');
	const { correlationId } = parse(await client.next()) as { correlationId: string };
	sendTyped(client, '@reply', 'me', correlationId);
	expect(await answer).toBe('me');

	expect(await (await fetch(`${http}/`)).text()).toBe('not for an endpoint');
	expect((await fetch(`${http}/ws`)).status).toBe(426);
	expect((await fetch(`${http}/ws/`)).status).toBe(426);
});

it('handle returns undefined at once for what is not the endpoint’s path, and a promise otherwise', () => {
	const endpoint = new SocketEndpoint({ logger: logger() });
	const { server, http } = openServer(endpoint);
	for (const path of ['/', '/wss', '/ws/a', '/a/ws', '/?/ws'])
		expect([path, endpoint.handle(new Request(http + path), server)]).toEqual([path, undefined]);
	for (const path of ['/ws', '/ws/', '/ws?a=1'])
		expect(endpoint.handle(new Request(http + path), server)).toBeInstanceOf(Promise);
});

it('upgrade finds the parameters of the path and the cookies, and its own cookies are sent with every answer', async () => {
	const endpoint = new SocketEndpoint({
		path: '/:tenant/rooms/:room',
		logger: logger(),
		upgrade(req, { headers }) {
			headers.append('Set-Cookie', 'from=headers');
			req.cookies.set('seen', 'yes');
			if (req.params['room'] === 'closed') return new Response('closed', { status: 423 });
			return { ...req.params, user: req.cookies.get('user') };
		},
	}).onWebSocket({ open: (ws) => void ws.send(JSON.stringify(ws.data.data)) });
	const { port, http, ws } = await serveEndpoints(endpoint);

	const client = await connectClient(`ws://localhost:${port}/acme/rooms/blue%20one/`, {
		headers: { cookie: 'user=ann' },
	});
	expect(parse(await client.next())).toEqual({ tenant: 'acme', room: 'blue one', user: 'ann' });
	const accepted = await handshake({ port, http, ws }, '/acme/rooms/blue');
	expect(accepted.status).toBe(101);
	expect(accepted.headers.getSetCookie().map((cookie) => cookie.split(';')[0])).toEqual(['from=headers', 'seen=yes']);
	const refused = await handshake({ port, http, ws }, '/acme/rooms/closed');
	expect([refused.status, await refused.text()]).toEqual([423, 'closed']);
	expect(refused.headers.getSetCookie().map((cookie) => cookie.split(';')[0])).toEqual(['seen=yes']);
});

it('handle also works in a route of Bun, whose request keeps its own cookies', async () => {
	const endpoint = new SocketEndpoint({
		path: '/rooms/:room',
		upgrade(req) {
			req.cookies.set('seen', 'yes');
			return { room: req.params['room'] };
		},
	}).onWebSocket({ open: (ws) => void ws.send(JSON.stringify(ws.data.data)) });
	const server = Bun.serve({
		port: 0,
		routes: { '/rooms/*': (req, server) => endpoint.handle(req, server), '/health': new Response('ok') },
		fetch: () => new Response('none', { status: 404 }),
		websocket: endpoint.websocket,
	});
	try {
		await endpoint.start(server);
		const http = server.url.origin;
		expect(parse(await (await connectClient(`${http}/rooms/blue`)).next())).toEqual({ room: 'blue' });
		const accepted = await handshake({ port: server.port ?? 0, http, ws: '' }, '/rooms/red');
		expect(accepted.headers.getSetCookie().map((cookie) => cookie.split(';')[0])).toEqual(['seen=yes']);
		expect(await (await fetch(`${http}/health`)).text()).toBe('ok');
	} finally {
		await endpoint.stop();
		await server.stop(true);
	}
});

it('upgrades get 503 before the start and after the stop, while HTTP is served', async () => {
	const endpoint = new SocketEndpoint({ logger: logger() });
	const opened = openServer(endpoint);
	const early = await handshake(opened);
	expect([early.status, early.headers.get('retry-after')]).toEqual([503, '1']);
	expect(await (await fetch(`${opened.http}/ws`)).text()).toContain('has not started');

	await endpoint.start(opened.server);
	await connectClient(opened.ws);
	await endpoint.stop();
	const late = await handshake(opened);
	expect([late.status, late.headers.has('retry-after')]).toEqual([503, true]);
	expect(await (await fetch(`${opened.http}/ws`)).text()).toContain('stopping');
	expect((await fetch(opened.http)).status).toBe(200);
	expect(endpoint.refusals).toMatchObject({ notStarted: 1, stopping: 1 });

	const never = new SocketEndpoint({ logger: logger() });
	const other = openServer(never);
	await never.stop();
	expect((await handshake(other)).status).toBe(503);
	expect(never.refusals).toMatchObject({ notStarted: 0, stopping: 1 });
});

it('stop lets handlers finish, closes the sockets with 1012, calls their close handlers and stops the provider', async () => {
	const held = Promise.withResolvers<number>();
	const started = Promise.withResolvers<void>();
	const closed: number[] = [];
	const provider = new InProcWsProvider();
	const endpoint = new SocketEndpoint(provider, { logger: logger() })
		.socketRouter(
			new SocketRouter().on(Add, () => {
				started.resolve();
				return held.promise;
			}),
		)
		.onWebSocket({ close: (_, code) => void closed.push(code) });
	const { ws } = await serveEndpoints(endpoint);
	const busy = await connectSpeaker(ws);
	const idle = await connectSpeaker(ws);
	sendTyped(busy, 'add', [], 'a');
	await started.promise;

	const stopped = endpoint.stop();
	expect((await idle.closed).code).toBe(1012);
	expect(busy.texts).toEqual([]);
	held.resolve(42);
	await stopped;
	expect((await busy.closed).code).toBe(1012);
	expect(parse(busy.texts[0] ?? '')).toMatchObject({ correlationId: 'a', data: 42 });
	expect(closed).toEqual([1012, 1012]);
	expect([provider.status, provider.getConnectionCount()]).toEqual(['stopped', 0]);
	expect(endpoint.stop({ graceMs: 1 })).toBe(endpoint.stop());
});

it('stop waits for handlers no longer than graceMs', async () => {
	const started = Promise.withResolvers<void>();
	const router = new SocketRouter().on(Add, () => {
		started.resolve();
		return new Promise<number>(() => {});
	});
	const endpoint = new SocketEndpoint({ logger: logger() }).socketRouter(router);
	const { ws } = await serveEndpoints(endpoint);
	const client = await connectSpeaker(ws);
	sendTyped(client, 'add', [], 'a');
	await started.promise;
	await endpoint.stop({ graceMs: 20 });
	expect((await client.closed).code).toBe(1012);
});

it('stop refuses an upgrade that is being decided', async () => {
	const asked = Promise.withResolvers<void>();
	const endpoint = new SocketEndpoint({
		logger: logger(),
		upgrade() {
			asked.resolve();
			return new Promise<object>(() => {});
		},
	});
	const opened = await serveEndpoints(endpoint);
	const answer = handshake(opened);
	await asked.promise;
	await endpoint.stop();
	expect((await answer).status).toBe(503);
	await until(() => endpoint.refusals.stopping === 1, { what: 'the refusal is counted' });
});
