import { connectSpeaker } from '@orijs/testkit';
import { InProcWsProvider, type PubSubServer, SocketCoordinator } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { Application, ApplicationError, type AppSocket, type WebSocketHandlers } from '../index.ts';
import { serve } from '../test-support/serve.ts';

/** An `Application` as untyped JavaScript code sees it. */
type JavaScript = { [call in 'websocket' | 'onWebSocket']: (...given: unknown[]) => unknown };

describe('setting up the WebSocket endpoint', () => {
	it('needs neither a provider nor options', async () => {
		const { ws } = await serve(
			new Application().websocket().onWebSocket({ open: (socket) => void socket.send('open') }),
		);

		expect(await (await connectSpeaker(ws)).next()).toBe('open');
	});

	it('accepts options alone, and undefined for the provider', async () => {
		for (const app of [
			new Application().websocket({ path: '/chat', upgrade: () => ({ name: 'ann' }) }),
			new Application().websocket(undefined, { path: '/chat', upgrade: () => ({ name: 'ann' }) }),
		]) {
			app.onWebSocket({ open: (socket) => void socket.send(socket.data.data.name) });
			const { http } = await serve(app);

			expect(await (await connectSpeaker(`${http}/chat`)).next()).toBe('ann');
			expect((await fetch(`${http}/ws`)).status).toBe(404);
		}
	});

	it('accepts a provider alone', async () => {
		const provider = new InProcWsProvider();
		const { ws } = await serve(new Application().websocket(provider));

		const client = await connectSpeaker(ws);
		expect(provider.getConnectionCount()).toBe(1);
		await provider.broadcast('started, and with this server');
		expect(await client.next()).toBe('started, and with this server');
	});

	it('passes the server to the provider, so that publishing costs one call instead of one per socket', async () => {
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

	it('accepts a provider with options', async () => {
		const provider = new InProcWsProvider();
		const app = new Application().websocket(provider, { path: '/rooms/:room', upgrade: (req) => ({ from: req.url }) });
		app.onWebSocket({ open: (socket) => void socket.send(socket.data.data.from) });
		const { http } = await serve(app);

		const client = await connectSpeaker(`${http}/rooms/7`);
		expect(await client.next()).toBe(`${http}/rooms/7`);
		expect(provider.getConnectionCount()).toBe(1);
	});

	it('accepts handlers with their own state', async () => {
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

		expect(await (await connectSpeaker(ws)).next()).toBe('1');
		const second = await connectSpeaker(ws);
		second.send('how many?');
		expect(await second.received(2)).toEqual(['2', '2 so far']);
	});

	it('is possible only once', () => {
		const app = new Application().websocket();

		expect(() => app.websocket()).toThrow(ApplicationError);
		expect(() => app.websocket(new InProcWsProvider())).toThrow('websocket() was called twice');
	});

	it.each([
		['upgrade', { upgrade: 'yes' as unknown as () => null }],
		['upgrade', { upgrade: null as unknown as () => null }],
		['upgradeTimeoutMs', { upgradeTimeoutMs: '100' as unknown as number }],
		['upgradeTimeoutMs', { upgradeTimeoutMs: 2 ** 31 }],
		['upgradeTimeoutMs', { upgradeTimeoutMs: 0 }],
		['upgradeTimeoutMs', { upgradeTimeoutMs: -1 }],
		['upgradeTimeoutMs', { upgradeTimeoutMs: Number.NaN }],
		['upgradeTimeoutMs', { upgradeTimeoutMs: Number.POSITIVE_INFINITY }],
	])('refuses an invalid %s: %o', (option, options) => {
		for (const call of [
			() => new Application().websocket(options),
			() => new Application().websocket(new InProcWsProvider(), options),
		]) {
			expect(call).toThrow(ApplicationError);
			expect(call).toThrow(`websocket(): ${option} must`);
		}
	});

	it('refuses an unknown option and lists the known ones', () => {
		for (const [name, options] of [
			['paht', { paht: '/chat' }],
			['origins', { path: '/chat', origins: [] }],
			['provider', { provider: new InProcWsProvider() }],
			['constructor', { constructor: Object }],
		] as const) {
			const call = (): unknown => new Application().websocket(options as object);
			expect(call).toThrow(ApplicationError);
			expect(call).toThrow(
				`there is no option ${name}; options are path, upgrade, upgradeTimeoutMs, subprotocol, allowedOrigins, trustedProxies, authorize, unknownMessages, presence, limits, slowReaders, perMessageDeflate, and a provider comes before them`,
			);
		}
	});

	it('treats undefined options as omitted', async () => {
		const options = { path: undefined, upgrade: undefined, upgradeTimeoutMs: undefined };
		const { ws } = await serve(new Application().websocket(options as object));
		await connectSpeaker(ws);
	});

	it.each<[string, unknown[]]>([
		['"/chat"', ['/chat']],
		['3000', [3000]],
		['null', [null]],
		['class InProcWsProvider', [InProcWsProvider]],
		['a function', [() => new InProcWsProvider()]],
		['Promise {…}', [Promise.resolve(new InProcWsProvider())]],
		['SocketCoordinator {…}', [new SocketCoordinator({ provider: new InProcWsProvider() })]],
		['[…]', [[]]],
		['{…}, InProcWsProvider {…}', [{}, new InProcWsProvider()]],
		['{…}, {…}', [{ path: '/a' }, { path: '/b' }]],
		['InProcWsProvider {…}, InProcWsProvider {…}', [new InProcWsProvider(), new InProcWsProvider()]],
		['InProcWsProvider {…}, "/chat"', [new InProcWsProvider(), '/chat']],
		['InProcWsProvider {…}, null', [new InProcWsProvider(), null]],
		['undefined, "/chat"', [undefined, '/chat']],
	])('refuses other arguments and says how to call it: websocket(%s)', (shown, given) => {
		const websocket = (): unknown => (new Application() as JavaScript).websocket(...given);
		expect(websocket).toThrow(ApplicationError);
		expect(websocket).toThrow('websocket(): pass a provider, or options, or a provider followed by options, as in');
		expect(websocket).toThrow(`not websocket(${shown})`);
	});

	it('can be retried after an error', async () => {
		const app = new Application();
		expect(() => app.websocket({ path: 'bad' })).toThrow(ApplicationError);
		expect(() => (app as JavaScript).websocket('/good')).toThrow(ApplicationError);
		app.websocket({ path: '/good' });
		expect(() => (app as JavaScript).onWebSocket({ open: 'bad' })).toThrow(ApplicationError);
		app.onWebSocket({ open: (ws) => void ws.send('good') });

		const { http } = await serve(app);
		expect(await (await connectSpeaker(`${http}/good`)).next()).toBe('good');
	});

	it.each<[string, unknown]>([
		['pass an object with the handlers open, message, close, drain, ping, pong, not undefined', undefined],
		['pass an object with the handlers open, message, close, drain, ping, pong, not null', null],
		['pass an object with the handlers open, message, close, drain, ping, pong, not a function', () => {}],
		['open must be a function, not "hello"', { open: 'hello' }],
		['message must be a function, not null', { message: null }],
		['close must be a function, not {…}', { close: {} }],
		['drain must be a function, not Promise {…}', { drain: Promise.resolve() }],
		['there is no handler mesage; handlers are open, message, close, drain, ping, pong', { open() {}, mesage() {} }],
		['there is no handler constructor; handlers are open, message, close, drain, ping, pong', { constructor() {} }],
		['there is no handler onClose; handlers are open, message, close, drain, ping, pong', { onClose: undefined }],
		[
			'Mistyped {…} has none of the handlers open, message, close, drain, ping, pong',
			new (class Mistyped {
				mesage() {}
			})(),
		],
	])('refuses invalid handlers: %s', (message, handlers) => {
		const onWebSocket = (): unknown => (new Application().websocket() as JavaScript).onWebSocket(handlers);
		expect(onWebSocket).toThrow(ApplicationError);
		expect(onWebSocket).toThrow(`onWebSocket(): ${message}`);
	});

	it('accepts handlers only once, so that none get lost', async () => {
		const app = new Application().websocket().onWebSocket({ open: (ws) => void ws.send('first') });

		expect(() => app.onWebSocket({})).toThrow(ApplicationError);
		expect(() => app.onWebSocket({})).toThrow('onWebSocket() was called twice; pass all handlers in one object');
		const { ws } = await serve(app);
		expect(await (await connectSpeaker(ws)).next()).toBe('first');
	});

	it('must precede listen', async () => {
		const bare = new Application();
		await serve(bare);
		expect(() => bare.websocket()).toThrow('websocket() must come before listen()');

		const app = new Application().websocket();
		await serve(app);
		expect(() => app.onWebSocket({})).toThrow(ApplicationError);
		expect(() => app.onWebSocket({})).toThrow('onWebSocket() must come before listen()');
	});

	it('must precede all that needs an endpoint', () => {
		const app = new Application();

		expect(() => app.onWebSocket({})).toThrow(ApplicationError);
		expect(() => app.onWebSocket({})).toThrow('onWebSocket() needs an endpoint: call websocket() first');
		expect(() => app.socket).toThrow(ApplicationError);
		expect(() => app.socket).toThrow('socket needs an endpoint: call websocket() first');
	});
});
