import { type RedisServer, spawnBun, startRedis } from '@orijs/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** `stop` waits one second for pending publishes; the rest is for a busy machine. Far below the process's timeouts. */
const PROMPT_MS = 5_000;

describe('stop() is prompt and lets the process exit', () => {
	let redis: RedisServer;
	beforeEach(async () => {
		redis = await startRedis();
	});
	afterEach(() => redis.stop());

	it.each<[string, (redis: RedisServer) => Promise<void> | void]>([
		['with Redis up', () => {}],
		['with Redis killed', (server) => server.kill()],
		['with Redis frozen', (server) => server.freeze()],
	])('%s', async (_, breakIt) => {
		const child = spawnBun(new URL('../test-support/stop-and-exit.ts', import.meta.url), {
			env: { REDIS_URL: redis.url },
		});
		await child.request('start');
		await breakIt(redis);
		await child.request('publish');
		expect(await child.request<number>('stop')).toBeLessThan(PROMPT_MS);
		expect(await child.exited).toEqual({ code: 0, signal: null });
	});

	it('during a start', async () => {
		redis.freeze();
		const child = spawnBun(new URL('../test-support/stop-and-exit.ts', import.meta.url), {
			env: { REDIS_URL: redis.url },
		});
		await child.request('start without waiting');
		expect(await child.request<number>('stop')).toBeLessThan(PROMPT_MS);
		expect(await child.exited).toEqual({ code: 0, signal: null });
	});
});
