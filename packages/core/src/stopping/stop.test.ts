import { connectClient, RecordingLogger } from '@orijs/testkit';
import { type Bus, InProcWsProvider, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { Application, ApplicationError } from '../index.ts';
import { isPortFree } from '../test-support/ports.ts';
import { connectRaw } from '../test-support/raw-connection.ts';
import { serve } from '../test-support/serve.ts';

describe('stop()', () => {
	it('closes every socket with 1012, seen by handlers and clients, and leaves none behind', async () => {
		const provider = new InProcWsProvider();
		const codes: number[] = [];
		const app = new Application().websocket(provider).onWebSocket({
			async open(ws) {
				await ws.subscribe('room');
				ws.send('subscribed');
			},
			close(_, code) {
				codes.push(code);
			},
		});
		const { ws } = await serve(app);
		const clients = await Promise.all(Array.from({ length: 50 }, () => connectClient(ws)));
		await Promise.all(clients.map((client) => client.next()));

		await app.stop();
		expect(codes).toEqual(Array(50).fill(1012));
		expect([provider.getConnectionCount(), provider.getTopicCount()]).toEqual([0, 0]);
		for (const { closed } of clients)
			expect(await closed).toEqual({
				code: 1012,
				reason: expect.stringMatching(/^server is stopping; drained; retry-after-ms=\d+$/),
			});
	});

	it.each<[string, unknown]>([
		['there is no option grace; options are graceMs, readinessDelayMs', { grace: 5 }],
		['pass an object with graceMs, readinessDelayMs, not 5000', 5_000],
		['pass an object with graceMs, readinessDelayMs, not "SIGTERM"', 'SIGTERM'],
		['pass an object with graceMs, readinessDelayMs, not null', null],
		['readinessDelayMs must be a number of milliseconds from 0 to 2147483647, not -1', { readinessDelayMs: -1 }],
	])('refuses other arguments and continues to serve: %s', async (message, options) => {
		const app = new Application().routes({ '/': () => new Response('still here') });
		const { http } = await serve(app);

		const refused = app.stop(options as object);
		await expect(refused).rejects.toThrow(ApplicationError);
		await expect(refused).rejects.toThrow(`stop(): ${message}`);
		expect(app.isStopping).toBe(false);
		expect(await (await fetch(http)).text()).toBe('still here');
	});

	it('delivers messages sent before it first', async () => {
		const app = new Application().websocket().onWebSocket({ open: (ws) => void ws.subscribe('all') });
		const { ws } = await serve(app);
		const client = await connectClient(ws);

		const sent = Array.from({ length: 100 }, (_, i) => `message ${i}`);
		for (const text of sent) void app.socket.publish('all', text);
		await app.stop();
		expect(await client.closed).toMatchObject({ code: 1012 });
		expect(client.texts).toEqual(sent);
	});

	it('lets close handlers publish to other nodes', async () => {
		const backend = new MemoryBackend();
		const start = () => {
			const logger = new RecordingLogger();
			const provider = new WsProvider({ bus: backend.createBus(), logger });
			const app = new Application({ logger }).websocket(provider).onWebSocket({
				async open(ws) {
					await ws.subscribe('room');
					ws.send('subscribed');
				},
				close: () => app.socket.publish('room', 'a client left'),
			});
			return app;
		};
		const [leaves, stays] = [start(), start()];
		const client = await connectClient((await serve(stays)).ws);
		const other = await connectClient((await serve(leaves)).ws);
		await Promise.all([client.next(), other.next()]);

		await leaves.stop();
		expect(await client.next()).toBe('a client left');
	});

	it('frees the port, accepts no more connections and closes idle ones', async () => {
		const app = new Application().routes({ '/': () => new Response('here') });
		const { port, http } = await serve(app);
		const idle = await connectRaw(port);
		idle.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
		await idle.seen('here');

		await app.stop();
		await idle.closed();
		expect(await isPortFree(port)).toBe(true);
		await expect(fetch(http)).rejects.toThrow();
	});

	it('may be called several times and stops once', async () => {
		let hooks = 0;
		const app = new Application().onShutdown(() => void hooks++);
		await serve(app);

		await Promise.all([app.stop(), app.stop()]);
		await app.stop();
		expect(hooks).toBe(1);
	});

	it('may be called before listen(), runs no hooks, and makes listen() reject', async () => {
		let hooks = 0;
		const provider = new InProcWsProvider({ logger: new RecordingLogger() });
		const app = new Application().websocket(provider).onShutdown(() => void hooks++);

		await app.stop();
		expect(hooks).toBe(0);
		await expect(provider.broadcast('x')).rejects.toMatchObject({ name: 'ProviderStoppedError' });
		await expect(app.listen(0)).rejects.toThrow(ApplicationError);
	});

	it('stops the provider, which then rejects sends', async () => {
		const app = new Application().websocket(new InProcWsProvider({ logger: new RecordingLogger() }));
		await serve(app);

		await app.stop();
		await expect(app.socket.broadcast('x')).rejects.toMatchObject({ name: 'ProviderStoppedError' });
	});

	it('rejects if the provider fails to stop, and stops the server nevertheless', async () => {
		const bus: Bus = {
			...new MemoryBackend().createBus(),
			stop: () => Promise.reject(new Error('the bus did not stop')),
		};
		const app = new Application().websocket(new WsProvider({ bus, logger: new RecordingLogger() }));
		const { port } = await app.listen(0);
		const client = await connectClient(`ws://localhost:${port}/ws`);

		await expect(app.stop()).rejects.toThrow('the bus did not stop');
		expect(await client.closed).toMatchObject({ code: 1012 });
		expect(await isPortFree(Number(port))).toBe(true);
	});
});
