import { connectClient, freePort, RecordingLogger, spawnBun } from '@orijs/testkit';
import { type Bus, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { Application, ApplicationError } from '../index.ts';
import { isPortFree } from '../test-support/ports.ts';
import { serve } from '../test-support/serve.ts';

describe('listen()', () => {
	it('returns the server, listening where requested', async () => {
		const port = await freePort();
		const byPort = new Application().routes({ '/': () => new Response('by port') });
		expect((await byPort.listen(port)).port).toBe(port);
		expect(await (await fetch(`http://localhost:${port}`)).text()).toBe('by port');
		await byPort.stop();

		const byOptions = new Application().routes({ '/': () => new Response('by options') });
		const server = await byOptions.listen({ port, hostname: '127.0.0.1' });
		expect([server.port, server.hostname]).toEqual([port, '127.0.0.1']);
		expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('by options');
		await byOptions.stop();
	});

	it('rejects a second call', async () => {
		const app = new Application().routes({ '/': () => new Response('still here') });
		const { http } = await serve(app);

		await expect(app.listen(0)).rejects.toThrow(ApplicationError);
		await expect(app.listen(0)).rejects.toThrow('listen() was called twice');
		expect(await (await fetch(http)).text()).toBe('still here');
	});

	it('rejects a call after stop(), even if it is the first', async () => {
		const app = new Application();
		await app.stop();

		await expect(app.listen(0)).rejects.toThrow(ApplicationError);
		await expect(app.listen(0)).rejects.toThrow('listen(): the application has stopped, or could not start');
	});
});

describe('the arguments of listen()', () => {
	it.each<[string, unknown[]]>([
		['there is no option prot; options are port, hostname, unix, tls, development, reusePort', [{ prot: 8080 }]],
		['there is no option fetch; options are', [{ port: 0, fetch: () => new Response() }]],
		['pass an object with port, hostname, unix, tls, development, reusePort, not […]', [[0]]],
		['await the promise instead of passing a callback; not 0, a function', [0, () => {}]],
		['pass one argument, a port or { port, hostname, unix, tls, development, reusePort }', [0, 'localhost']],
		['not undefined, a function', [undefined, () => {}]],
	])('are refused before anything starts: %s', async (message, given) => {
		const { app, bus } = node();
		const listening = (app as { listen(...args: unknown[]): Promise<unknown> }).listen(...given);

		await expect(listening).rejects.toThrow(ApplicationError);
		await expect(listening).rejects.toThrow(message);
		expect(bus.started).toBe(false);
		await serve(app);
	});
});

describe('the port', () => {
	it('is 3000 by default, regardless of environment variables', async () => {
		const port = String(await freePort());
		const env = { PORT: port, BUN_PORT: port, NODE_PORT: port };
		const child = spawnBun(new URL('../test-support/listen-by-default.ts', import.meta.url), { env });

		expect(await child.exited).toMatchObject({ code: 0 });
		expect(child.reports).toEqual(Array(4).fill(expect.stringMatching(/\b3000\b/)));
	});

	it.each<[string, unknown]>([
		['"9999"', '9999'],
		['""', ''],
		['NaN', Number.NaN],
		['1.5', 1.5],
		['-1', -1],
		['65536', 65_536],
		['70000', 70_000],
		['Infinity', Number.POSITIVE_INFINITY],
		['3000', 3000n],
		['true', true],
		['null', null],
		['a function', () => {}],
	])('cannot be %s: nothing is started, and listen() can be called again', async (shown, port) => {
		const { app, bus } = node();
		let hooks = 0;
		app.onStartup(() => void hooks++);

		for (const at of [port, { port, hostname: 'localhost' }]) {
			const listening = app.listen(at as number);
			await expect(listening).rejects.toThrow(ApplicationError);
			await expect(listening).rejects.toThrow(`listen(): port must be a whole number from 0 to 65535, not ${shown}`);
		}
		expect([bus.started, hooks]).toEqual([false, 0]);
		await serve(app);
		expect([bus.started, hooks]).toEqual([true, 1]);
	});
});

describe('listen() that fails undoes its steps and rejects', () => {
	it('with the error of a provider that fails to start, before hooks run or a port is bound', async () => {
		const port = await freePort();
		const refused = new Error('no answer');
		const { app, bus, provider } = node({ start: () => Promise.reject(refused) });
		let hooks = 0;
		app.onStartup(() => void hooks++);

		await expect(app.listen(port)).rejects.toBe(refused);
		expect([hooks, await isPortFree(port), bus.stopped]).toEqual([0, true, true]);
		await expect(provider.publish('t', 'x')).rejects.toMatchObject({ name: 'ProviderStoppedError' });
	});

	it('when the port is in use; the other server keeps it', async () => {
		const { port, http } = await serve(new Application().routes({ '/': () => new Response('mine') }));
		const { app, bus, provider } = node();

		await expect(app.listen(port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
		expect(bus.stopped).toBe(true);
		await expect(provider.publish('t', 'x')).rejects.toMatchObject({ name: 'ProviderStoppedError' });
		expect(await (await fetch(http)).text()).toBe('mine');
	});

	it('when a route has the path of the WebSocket endpoint, naming the path', async () => {
		for (const path of ['/ws', '/chat/:room']) {
			const port = await freePort();
			const { app, bus } = node({}, path);
			app.routes({ [path]: () => new Response('no socket') });

			const listening = app.listen(port);
			await expect(listening).rejects.toThrow(ApplicationError);
			await expect(listening).rejects.toThrow(path);
			expect([await isPortFree(port), bus.stopped]).toEqual([true, true]);
		}
	});

	it('with the first error when undoing fails as well, which is logged', async () => {
		const stuck = new Error('failed to stop');
		const { app, log } = node({ stop: () => Promise.reject(stuck) });
		app.onStartup(() => {
			throw new Error('first');
		});

		await expect(app.listen(0)).rejects.toThrow('first');
		expect(log.errors.map(({ details }) => details?.['err'])).toEqual([stuck]);
	});

	it('after which a new application can listen on the same port', async () => {
		const port = await freePort();
		const backend = new MemoryBackend();
		const broken = node({ start: () => Promise.reject(new Error('not today')) });
		await expect(broken.app.listen(port)).rejects.toThrow('not today');
		await broken.app.stop();

		const app = new Application().websocket(
			new WsProvider({ bus: backend.createBus(), logger: new RecordingLogger() }),
		);
		await app.listen(port);
		await connectClient(`ws://localhost:${port}/ws`);
		await app.stop();
	});
});

describe('listen() interrupted by stop() rejects and binds no port', () => {
	it('while the provider starts', async () => {
		const port = await freePort();
		const { app, bus } = node();
		let hooks = 0;
		app.onStartup(() => void hooks++);

		const listening = app.listen(port);
		const stopping = app.stop();
		await expect(listening).rejects.toThrow('stop');
		await stopping;
		expect([hooks, await isPortFree(port), bus.stopped]).toEqual([0, true, true]);
	});

	it('while a hook runs; no further hooks run', async () => {
		const port = await freePort();
		const { app, bus } = node();
		const inside = Promise.withResolvers<void>();
		const leave = Promise.withResolvers<void>();
		let hooks = 0;
		app
			.onStartup(async () => {
				inside.resolve();
				await leave.promise;
			})
			.onStartup(() => void hooks++);

		const listening = app.listen(port);
		await inside.promise;
		const stopping = app.stop();
		leave.resolve();
		await expect(listening).rejects.toThrow(ApplicationError);
		await stopping;
		expect([hooks, await isPortFree(port), bus.stopped]).toEqual([0, true, true]);
	});

	it('when a hook itself calls and awaits stop()', async () => {
		const port = await freePort();
		const { app, bus } = node();
		app.onStartup(() => app.stop());

		await expect(app.listen(port)).rejects.toThrow(ApplicationError);
		expect([await isPortFree(port), bus.stopped]).toEqual([true, true]);
	});
});

/** Creates an application over a memory bus with overrides, and records whether the bus was started and stopped. */
function node(overrides: Partial<Bus> = {}, path = '/ws') {
	const log = new RecordingLogger();
	const bus = {
		...new MemoryBackend().createBus(),
		...overrides,
		started: false,
		stopped: false,
	};
	const { start, stop } = bus;
	bus.start = (handlers) => {
		bus.started = true;
		return start(handlers);
	};
	bus.stop = () => {
		bus.stopped = true;
		return stop();
	};
	const provider = new WsProvider({ bus, logger: log });
	const app = new Application({ logger: log }).websocket(provider, { path });
	return { app, bus, log, provider };
}
