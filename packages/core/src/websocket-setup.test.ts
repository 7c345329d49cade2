import { connectClient } from '@orijs/testkit';
import { InProcWsProvider, type PubSubServer } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { Application, ApplicationError, type AppSocket, type WebSocketHandlers } from './index.ts';
import { serve } from './test-support/serve.ts';

describe('setting up the WebSocket endpoint', () => {
	it('needs neither a provider nor options', async () => {
		const { ws } = await serve(
			new Application().websocket().onWebSocket({ open: (socket) => void socket.send('open') }),
		);

		expect(await (await connectClient(ws)).next()).toBe('open');
	});

	it('takes options alone, and a provider may be left undefined', async () => {
		for (const app of [
			new Application().websocket({ path: '/chat', upgrade: () => ({ name: 'ann' }) }),
			new Application().websocket(undefined, { path: '/chat', upgrade: () => ({ name: 'ann' }) }),
		]) {
			app.onWebSocket({ open: (socket) => void socket.send(socket.data.data.name) });
			const { http } = await serve(app);

			expect(await (await connectClient(`${http}/chat`)).next()).toBe('ann');
			expect((await fetch(`${http}/ws`)).status).toBe(404);
		}
	});

	it('takes a provider alone', async () => {
		const provider = new InProcWsProvider();
		const { ws } = await serve(new Application().websocket(provider));

		const client = await connectClient(ws);
		expect(provider.getConnectionCount()).toBe(1);
		await provider.broadcast('started, and with this server');
		expect(await client.next()).toBe('started, and with this server');
	});

	it('gives the provider its server, so that a topic costs one call and not one per socket', async () => {
		class Watched extends InProcWsProvider {
			server: PubSubServer | undefined;
			override setServer(server: PubSubServer): void {
				this.server = server;
				super.setServer(server);
			}
		}
		const provider = new Watched();
		const app = new Application().websocket(provider);
		const server = await app.listen(0);

		expect(provider.server).toBe(server);
		await app.stop();
	});

	it('takes a provider with options', async () => {
		const provider = new InProcWsProvider();
		const app = new Application().websocket(provider, { path: '/rooms/:room', upgrade: (req) => ({ from: req.url }) });
		app.onWebSocket({ open: (socket) => void socket.send(socket.data.data.from) });
		const { http } = await serve(app);

		const client = await connectClient(`${http}/rooms/7`);
		expect(await client.next()).toBe(`${http}/rooms/7`);
		expect(provider.getConnectionCount()).toBe(1);
	});

	it('takes handlers with a state of their own', async () => {
		class Counter implements WebSocketHandlers {
			#opened = 0;
			open(ws: AppSocket): void {
				ws.send(`${++this.#opened}`);
			}
			message(ws: AppSocket): void {
				ws.send(`${this.#opened} so far`);
			}
		}
		const { ws } = await serve(new Application().websocket().onWebSocket(new Counter()));

		expect(await (await connectClient(ws)).next()).toBe('1');
		const second = await connectClient(ws);
		second.send('how many?');
		expect(await second.received(2)).toEqual(['2', '2 so far']);
	});

	it('happens once', () => {
		const app = new Application().websocket();

		expect(() => app.websocket()).toThrow(ApplicationError);
		expect(() => app.websocket(new InProcWsProvider())).toThrow('websocket() was called twice');
	});

	it.each([
		['path', { path: 'ws' }],
		['path', { path: '' }],
		['path', { path: 7 as unknown as string }],
		['upgrade', { upgrade: 'yes' as unknown as () => null }],
		['upgradeTimeoutMs', { upgradeTimeoutMs: 0 }],
		['upgradeTimeoutMs', { upgradeTimeoutMs: -1 }],
		['upgradeTimeoutMs', { upgradeTimeoutMs: Number.NaN }],
		['upgradeTimeoutMs', { upgradeTimeoutMs: Number.POSITIVE_INFINITY }],
	])('refuses a %s that can not work: %o', (option, options) => {
		for (const call of [
			() => new Application().websocket(options),
			() => new Application().websocket(new InProcWsProvider(), options),
		]) {
			expect(call).toThrow(ApplicationError);
			expect(call).toThrow(`websocket(): ${option} must`);
		}
	});

	it('can be tried again after an option was refused', async () => {
		const app = new Application();
		expect(() => app.websocket({ path: 'bad' })).toThrow(ApplicationError);

		const { http } = await serve(app.websocket({ path: '/good' }));
		await connectClient(`${http}/good`);
	});

	it('must be over before listen', async () => {
		const bare = new Application();
		await serve(bare);
		expect(() => bare.websocket()).toThrow('websocket() must come before listen()');

		const app = new Application().websocket();
		await serve(app);
		expect(() => app.onWebSocket({})).toThrow(ApplicationError);
		expect(() => app.onWebSocket({})).toThrow('onWebSocket() must come before listen()');
	});

	it('comes before what needs an endpoint', () => {
		const app = new Application();

		expect(() => app.onWebSocket({})).toThrow(ApplicationError);
		expect(() => app.onWebSocket({})).toThrow('onWebSocket() needs an endpoint: call websocket() first');
		expect(() => app.socket).toThrow(ApplicationError);
		expect(() => app.socket).toThrow('socket needs an endpoint: call websocket() first');
	});
});
