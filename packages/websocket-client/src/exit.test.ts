import { spawnBun } from '@orijs/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LocalTestServer } from './test-support/local-test-server.ts';

/**
 * How long the process may take to exit, in milliseconds: enough to start, but less than any timer that the client
 * could leave behind.
 */
const SOON_MS = 8_000;

async function exitOf(server: { readonly url: string }, how: string): Promise<string> {
	const child = spawnBun(new URL('test-support/fixtures/close-client.ts', import.meta.url), {
		args: [server.url, how],
	});
	const began = performance.now();
	expect(await child.exited).toMatchObject({ code: 0 });
	expect(performance.now() - began).toBeLessThan(SOON_MS);
	return child.output().trim();
}

describe('a closed client does not keep its process alive', () => {
	it('closed when ready, with a pending request', async () => {
		const server = await LocalTestServer.start();
		onTestFinished(() => server.end());
		await server.serve();
		expect(await exitOf(server, 'when ready')).toBe('3\nclosed');
	});

	it('closed right after connect()', async () => {
		const server = await LocalTestServer.start();
		onTestFinished(() => server.end());
		await server.serve();
		expect(await exitOf(server, 'at once')).toBe('closed');
	});

	it('closed while it waits for the next attempt', async () => {
		const server = await LocalTestServer.start();
		onTestFinished(() => server.end());
		expect(await exitOf(server, 'while it waits')).toBe('closed');
	});

	it('closed while auth() hangs', async () => {
		expect(await exitOf({ url: 'ws://127.0.0.1:9/ws' }, 'while auth() hangs')).toBe('closed');
	});

	it.each(['as it asks', 'while it asks'])('closed %s the server why its attempts have failed', async (when) => {
		const asked = Promise.withResolvers<void>();
		let upgrades = 0;
		const server = Bun.serve({
			hostname: '127.0.0.1',
			port: 0,
			async fetch({ headers }) {
				if (headers.get('upgrade') === null) {
					asked.resolve();
					await new Promise(() => {});
				}
				if (++upgrades > 3) await asked.promise;
				return new Response('', { status: 404 });
			},
		});
		onTestFinished(() => server.stop(true));
		expect(await exitOf({ url: `ws://127.0.0.1:${server.port}/ws` }, when)).toBe('closed');
		expect(upgrades).toBe(when === 'as it asks' ? 3 : 4);
	});

	it('closed on a dead network', async () => {
		const server = await LocalTestServer.start();
		onTestFinished(() => server.end());
		await server.serve();
		await server.network('freeze');
		expect(await exitOf(server, 'at once')).toBe('closed');
	});
});
