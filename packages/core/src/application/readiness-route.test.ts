import { WsProvider } from '@orijs/websocket';
import { RecordingLogger } from '@orijs/testkit';
import { MemoryBackend } from '@orijs/websocket/testing';
import { expect, it } from 'vitest';
import { Application, ApplicationError, type ApplicationOptions } from '../index.ts';
import { serve } from '../test-support/serve.ts';

async function answerTo(url: string): Promise<[number, string]> {
	const response = await fetch(url);
	return [response.status, await response.text()];
}

it('answers 200 while listening, and 503 during the delay of stop()', async () => {
	const app = new Application().websocket();
	const { http } = await serve(app);
	expect(await answerTo(`${http}/readyz`)).toEqual([200, 'ready']);

	const stopping = app.stop({ readinessDelayMs: 200 });
	expect(app.isStopping).toBe(true);
	expect(await answerTo(`${http}/readyz`)).toEqual([503, 'stopping']);
	await stopping;
	await expect(fetch(`${http}/readyz`)).rejects.toThrow();
});

it('can have another path, or be left out', async () => {
	const moved = await serve(new Application({ readinessPath: '/health/ready' }));
	expect(await answerTo(`${moved.http}/health/ready`)).toEqual([200, 'ready']);
	expect((await answerTo(`${moved.http}/readyz`))[0]).toBe(404);

	const none = await serve(new Application({ readinessPath: false }));
	expect((await answerTo(`${none.http}/readyz`))[0]).toBe(404);
});

it("gives way to the application's own route, and comes before its wildcards", async () => {
	const own = await serve(new Application().routes({ '/readyz': () => new Response('own') }));
	expect(await answerTo(`${own.http}/readyz`)).toEqual([200, 'own']);

	const page = await serve(new Application().routes({ '/*': () => new Response('page') }));
	expect(await answerTo(`${page.http}/readyz`)).toEqual([200, 'ready']);
	expect(await answerTo(`${page.http}/other`)).toEqual([200, 'page']);
});

it('cannot be the WebSocket endpoint: listen() rejects and names the path', async () => {
	const listening = new Application().websocket({ path: '/readyz' }).listen(0);
	await expect(listening).rejects.toThrow(
		new ApplicationError('/readyz is both readinessPath and the WebSocket endpoint; set one to another path'),
	);
});

it('does not depend on the backend: an outage must not take all nodes out of rotation', async () => {
	const backend = new MemoryBackend();
	const bus = backend.createBus();
	const provider = new WsProvider({ bus, logger: new RecordingLogger() });
	const { http } = await serve(new Application({ logger: new RecordingLogger() }).websocket(provider));
	const degraded = new Promise<void>((resolve) => {
		provider.onStatus((status) => {
			if (status === 'degraded') resolve();
		});
	});
	backend.cut(bus);
	await degraded;

	expect(await answerTo(`${http}/readyz`)).toEqual([200, 'ready']);
});

it.each<[string, ApplicationOptions]>([
	['readinessPath must be false, or a path that begins with /', { readinessPath: 'readyz' }],
	['without parameters, ? or #; not "/ready/:node"', { readinessPath: '/ready/:node' }],
	['not "/*"', { readinessPath: '/*' }],
	['not true', { readinessPath: true as never }],
	['readinessDelayMs must be a number of milliseconds from 0 to 2147483647, not -1', { readinessDelayMs: -1 }],
	[
		'readinessDelayMs must be a number of milliseconds from 0 to 2147483647, not "5s"',
		{ readinessDelayMs: '5s' as never },
	],
])('an invalid option is refused: %s', (message, options) => {
	expect(() => new Application(options)).toThrow(ApplicationError);
	expect(() => new Application(options)).toThrow(message);
});
