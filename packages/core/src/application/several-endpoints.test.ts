import { connectClient, connectSpeaker, RecordingLogger } from '@orijs/testkit';
import { InProcWsProvider, SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, ApplicationError, SocketRouter } from '../index.ts';
import { handshake, serve } from '../test-support/serve.ts';
import { parse, sendTyped } from '../test-support/typed-client.ts';

const Ping = SocketMessage.define({ name: 'who', data: z.null(), reply: z.string() });
const answering = (text: string) => new SocketRouter().on(Ping, () => text);
const error = (message: string) => new ApplicationError(message);

describe('app.endpoint()', () => {
	it('adds endpoints with their own paths, options and routers, which share the provider and its topics', async () => {
		const app = new Application({ logger: new RecordingLogger() }).websocket().socketRouter(answering('main'));
		app.onWebSocket({ open: (ws) => ws.subscribe('all') });
		app
			.endpoint('/admin/:tenant', {
				allowedOrigins: ['https://admin.example.com'],
				upgrade: ({ params }) => ({ tenant: params['tenant'] }),
			})
			.socketRouter(answering('admin'))
			.onWebSocket({
				async open(ws) {
					await ws.subscribe('all');
					ws.send(String(ws.data.data.tenant));
				},
			});
		const address = await serve(app);
		const main = await connectSpeaker(address.ws, { withoutNotices: true });
		const admin = await connectSpeaker(`${address.http}/admin/acme/`, { withoutNotices: true });
		expect(await admin.next()).toBe('acme');
		for (const [client, name] of [
			[main, 'main'],
			[admin, 'admin'],
		] as const) {
			sendTyped(client, 'who', null, 'w');
			expect(parse(await client.next())).toMatchObject({ data: name });
		}
		await app.socket.publish('all', 'hello');
		expect([await main.next(), await admin.next()]).toEqual(['hello', 'hello']);

		const from = (path: string) => handshake(address, path, { origin: 'https://other.example.com' });
		expect([(await from('/ws')).status, (await from('/admin/acme')).status]).toEqual([403, 403]);
		const allowed = await handshake(address, '/admin/acme', { origin: 'https://admin.example.com' });
		expect(allowed.status).toBe(101);
		expect(app.refusals.origin).toBe(2);

		await app.stop();
		expect([(await main.closed).code, (await admin.closed).code]).toEqual([1012, 1012]);
	});

	it('takes a provider, which the application starts and stops as well', async () => {
		const [first, second] = [new InProcWsProvider(), new InProcWsProvider()];
		const app = new Application({ logger: new RecordingLogger() }).websocket(first);
		const admin = app.endpoint('/admin', second, { limits: { connections: 1 } });
		const { http, ws } = await serve(app);
		const [user, boss] = [await connectClient(ws), await connectClient(`${http}/admin`)];
		await expect(connectClient(`${http}/admin`)).rejects.toThrow('503');
		expect([app.refusals.connections, admin.refusals.connections]).toEqual([1, 1]);
		await admin.socket.broadcast('for admins');
		await app.socket.broadcast('for users');
		expect([await user.received(1), await boss.received(1)]).toEqual([['for users'], ['for admins']]);
		await app.stop();
		expect([first.status, second.status]).toEqual(['stopped', 'stopped']);
	});

	it('refuses the same path twice, a path in the options, and being without a provider', () => {
		const app = new Application().websocket();
		expect(() => app.endpoint('/ws/')).toThrow(error('endpoint(): two endpoints have the path /ws/'));
		app.endpoint('/admin');
		expect(() => app.endpoint('/admin')).toThrow(error('endpoint(): two endpoints have the path /admin'));
		expect(() => app.endpoint('/a', { path: '/b' } as never)).toThrow('endpoint(): the path is the first argument');
		expect(() => app.endpoint(undefined as never)).toThrow('path must begin with /');
		expect(() => app.endpoint('admin')).toThrow('endpoint(): path must begin with /');
		expect(() => app.endpoint('/b', 7 as never)).toThrow('endpoint(): pass a provider, or options');
		expect(() => app.endpoint('/b', { slowReaders: 'drop' })).toThrow('must have the same slowReaders');
		expect(() => new Application().endpoint('/admin')).toThrow('endpoint() needs a provider: call websocket() first');
	});

	it('has no start, stop and websocket of its own, and is configured before listen()', async () => {
		const app = new Application({ logger: new RecordingLogger() }).websocket();
		const admin = app.endpoint('/admin');
		expect(() => admin.websocket).toThrow('websocket: the endpoint belongs to an application, which serves');
		await expect(admin.start({} as never)).rejects.toThrow('start(): the endpoint belongs to an application');
		await expect(admin.stop()).rejects.toThrow('stop(): the endpoint belongs to an application');
		await serve(app);
		expect(() => admin.onWebSocket({})).toThrow(error('onWebSocket() must come before listen()'));
		expect(() => app.endpoint('/late')).toThrow(error('endpoint() must come before listen()'));
	});

	it('and websocket() can’t have the same router', () => {
		const router = answering('both');
		const app = new Application().websocket().socketRouter(router);
		expect(() => app.endpoint('/admin').socketRouter(router)).toThrow(
			'socketRouter(): this router belongs to another endpoint; create one for each',
		);
	});

	it('can’t have the path of a route', async () => {
		const app = new Application().websocket().routes({ '/admin': new Response('page') });
		app.endpoint('/admin');
		await expect(app.listen(0)).rejects.toEqual(error('/admin is both a route and the WebSocket endpoint'));
	});
});

describe('app.fetch()', () => {
	it('answers what neither a route nor an endpoint takes, with the server at hand', async () => {
		const app = new Application()
			.websocket()
			.routes({ '/health': new Response('ok') })
			.fetch((req, server) => Response.json([new URL(req.url).pathname, server.port]));
		const { http, ws, port } = await serve(app);
		expect(await (await fetch(`${http}/other?x`)).json()).toEqual(['/other', port]);
		expect(await (await fetch(`${http}/health`)).text()).toBe('ok');
		expect((await fetch(`${http}/ws`)).status).toBe(426);
		await connectClient(ws);
	});

	it('works without an endpoint; its failure is logged and answered with 500', async () => {
		const log = new RecordingLogger();
		const app = new Application({ logger: log }).fetch(() => Promise.reject(new Error('broken')));
		const { http } = await serve(app);
		expect((await fetch(`${http}/other`)).status).toBe(500);
		expect(log.errors.map(({ message }) => message)).toEqual(['A route failed']);
	});

	it.each<[string, unknown]>([
		['undefined', undefined],
		['a string', 'secret'],
	])('is answered 500 if the handler returns %s, at once or later, and it is logged', async (what, result) => {
		for (const returned of [result, Promise.resolve(result)]) {
			const log = new RecordingLogger();
			const { http } = await serve(new Application({ logger: log }).fetch(() => returned as never));
			const failed = await fetch(`${http}/none`);
			expect([failed.status, await failed.text()]).toEqual([500, 'Internal Server Error']);
			expect(log.errors[0]?.details?.['err']).toEqual(
				error(`The handler of fetch() returned ${what}; it must return a Response`),
			);
		}
	});

	it('refuses a second handler, what is not a function, and a call after listen()', async () => {
		const app = new Application().fetch(() => new Response());
		expect(() => app.fetch(() => new Response())).toThrow(
			error('fetch() was called twice; an application has one handler'),
		);
		expect(() => new Application().fetch({} as never)).toThrow('fetch(): handler must be a function, not');
		await serve(app);
		expect(() => app.fetch(() => new Response())).toThrow(error('fetch() must come before listen()'));
	});
});
