import { connectClient, freePort, RecordingLogger } from '@orijs/testkit';
import { InProcWsProvider, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { Application, ApplicationError } from '../index.ts';
import { isPortFree } from '../test-support/ports.ts';
import { serve } from '../test-support/serve.ts';

const aMoment = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('startup and shutdown hooks', () => {
	it('run one after the other: startup hooks in the order added, shutdown hooks in reverse', async () => {
		const order: string[] = [];
		const hook = (name: string) => async () => {
			order.push(`${name} starts`);
			await aMoment();
			order.push(`${name} ends`);
		};
		const app = new Application()
			.onStartup(hook('open database'))
			.onShutdown(hook('close database'))
			.onStartup(hook('start jobs'))
			.onShutdown(hook('stop jobs'));

		await serve(app);
		expect(order.splice(0)).toEqual([
			'open database starts',
			'open database ends',
			'start jobs starts',
			'start jobs ends',
		]);

		await app.stop();
		expect(order).toEqual(['stop jobs starts', 'stop jobs ends', 'close database starts', 'close database ends']);
	});

	it('run with the provider started, before the server listens and after the sockets have closed', async () => {
		const port = await freePort();
		const provider = new WsProvider({ bus: new MemoryBackend().createBus(), logger: new RecordingLogger() });
		const seen: unknown[] = [];
		const look = async (): Promise<void> => {
			await provider.publish('t', 'works');
			seen.push({ free: await isPortFree(port), sockets: provider.getConnectionCount() });
		};
		const app = new Application().websocket(provider).onStartup(look).onShutdown(look);

		await app.listen(port);
		const client = await connectClient(`ws://localhost:${port}/ws`);
		seen.push({ free: await isPortFree(port), sockets: provider.getConnectionCount() });
		await app.stop();
		await client.closed;
		expect(seen).toEqual([
			{ free: true, sockets: 0 },
			{ free: false, sockets: 1 },
			{ free: true, sockets: 0 },
		]);
		await expect(provider.publish('t', 'x')).rejects.toMatchObject({ name: 'ProviderStoppedError' });
	});

	it.each([
		[
			'throws',
			() => {
				throw new Error('no database');
			},
		],
		['rejects', () => Promise.reject(new Error('no database'))],
	])('a startup hook that %s makes listen() reject and undo everything', async (_, fail) => {
		const port = await freePort();
		const provider = new InProcWsProvider({ logger: new RecordingLogger() });
		let later = 0;
		const app = new Application()
			.websocket(provider)
			.onStartup(fail)
			.onStartup(() => void later++);

		await expect(app.listen(port)).rejects.toThrow('no database');
		expect(later).toBe(0);
		expect(await isPortFree(port)).toBe(true);
		await expect(provider.publish('t', 'x')).rejects.toMatchObject({ name: 'ProviderStoppedError' });
		await app.stop();
	});

	it('a shutdown hook that fails is logged, and stopping continues', async () => {
		const logger = new RecordingLogger();
		const provider = new InProcWsProvider({ logger });
		const ran: string[] = [];
		const app = new Application({ logger })
			.websocket(provider)
			.onShutdown(() => void ran.push('first added'))
			.onShutdown(() => {
				throw new Error('thrown');
			})
			.onShutdown(() => Promise.reject(new Error('rejected')))
			.onShutdown(() => void ran.push('last added'));
		const { port } = await serve(app);

		await app.stop();
		expect(ran).toEqual(['last added', 'first added']);
		expect(logger.lines).toEqual([
			{ level: 'error', message: 'A shutdown hook failed', details: { err: new Error('rejected') } },
			{ level: 'error', message: 'A shutdown hook failed', details: { err: new Error('thrown') } },
		]);
		expect(await isPortFree(port)).toBe(true);
		await expect(provider.publish('t', 'x')).rejects.toMatchObject({ name: 'ProviderStoppedError' });
	});

	it('a shutdown hook that awaits stop() gets an error at once; others that await it wait for the end', async () => {
		const logger = new RecordingLogger();
		const ran: string[] = [];
		const fromOutside = Promise.withResolvers<void>();
		const inside = Promise.withResolvers<void>();
		const app = new Application({ logger })
			.onShutdown(() => void ran.push('last'))
			.onShutdown(async () => {
				inside.resolve();
				await fromOutside.promise;
				ran.push('first');
				await app.stop();
			});
		await serve(app);

		const stopping = app.stop();
		await inside.promise;
		const again = app.stop().then(() => ran.push('stopped'));
		fromOutside.resolve();
		await Promise.all([stopping, again]);
		expect(ran).toEqual(['first', 'last', 'stopped']);
		expect(logger.errors).toMatchObject([
			{
				message: 'A shutdown hook failed',
				details: {
					err: new ApplicationError(
						'stop() was called in a shutdown hook: the application is already stopping and waits for its hooks',
					),
				},
			},
		]);
	});

	it('a shutdown hook may stop another application, whose own hooks may not stop the first one in turn', async () => {
		const logger = new RecordingLogger();
		const inner = new Application({ logger }).onShutdown(() => outer.stop());
		const outer = new Application({ logger }).onShutdown(() => inner.stop());
		await serve(inner);
		await serve(outer);

		await outer.stop();
		await inner.stop();
		expect(logger.errors).toMatchObject([{ details: { err: { message: expect.stringContaining('shutdown hook') } } }]);
	});

	it('work that a shutdown hook has left behind may await stop()', async () => {
		const later = Promise.withResolvers<void>();
		let left: Promise<void> | undefined;
		const app = new Application().onShutdown(() => {
			left = later.promise.then(() => app.stop());
		});
		await serve(app);

		await app.stop();
		later.resolve();
		await left;
	});

	it.each<[string, unknown]>([
		['undefined', undefined],
		['Promise {…}', Promise.resolve()],
		['"openDatabase"', 'openDatabase'],
	])('must be functions: %s is rejected immediately', (shown, hook) => {
		for (const call of ['onStartup', 'onShutdown'] as const) {
			const add = (): unknown => new Application()[call](hook as () => void);
			expect(add).toThrow(ApplicationError);
			expect(add).toThrow(`${call}(): hook must be a function, not ${shown}`);
		}
	});

	it('cannot be added after listen()', async () => {
		const app = new Application();
		await serve(app);

		expect(() => app.onStartup(() => {})).toThrow('onStartup() must come before listen()');
		expect(() => app.onShutdown(() => {})).toThrow('onShutdown() must come before listen()');
	});
});
