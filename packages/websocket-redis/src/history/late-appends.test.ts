import { type RedisServer, startRedis, startTcpProxy, type TcpProxy, until } from '@orijs/testkit';
import { BusUnavailableError } from '@orijs/websocket';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RedisWsProvider } from '../index.ts';
import { silentLogger } from '../test-support/silent-logger.ts';

describe('a message to a topic with history', () => {
	let redis: RedisServer;
	let proxy: TcpProxy;
	let provider: RedisWsProvider;

	beforeEach(async () => {
		redis = await startRedis();
		proxy = await startTcpProxy({ port: redis.port });
		provider = new RedisWsProvider({
			connection: { host: proxy.host, port: proxy.port },
			history: { 'chat:*': { size: 10, ttlMs: 60_000 } },
			logger: silentLogger,
		});
		await provider.start();
	});
	afterEach(async () => {
		await provider.stop();
		await proxy.stop();
		await redis.stop();
	});

	const stored = async (): Promise<unknown[]> => (await provider.history('chat:1')).messages.map(({ data }) => data);

	it('that a frozen connection delivers long after it was rejected is not stored', { timeout: 20_000 }, async () => {
		await provider.publish('chat:1', 'before');
		const frozen = proxy.links();
		for (const link of frozen) link.freeze();
		await expect(provider.publish('chat:1', 'late')).rejects.toBeInstanceOf(BusUnavailableError);
		await until(() => provider.status === 'ready', { what: 'new connections work' });
		await Bun.sleep(5_000);
		for (const link of frozen) link.thaw();
		await until(() => proxy.links().every((link) => !frozen.includes(link)), { what: 'the old connections are over' });
		await provider.publish('chat:1', 'after');
		expect(await stored()).toEqual(['before', 'after']);
	});
});

describe('the time of a Redis server', () => {
	it('that jumps forward does not make it refuse messages', async () => {
		const redis = await startRedis();
		const provider = new RedisWsProvider({
			connection: { port: redis.port },
			history: { 'chat:*': { size: 10, ttlMs: 60_000 } },
			logger: silentLogger,
		});
		await provider.start();
		await provider.publish('chat:1', 'before');
		// For the append, this process's monotonic clock standing still is the same as the server's jumping forward.
		const { now } = performance;
		const frozenAt = performance.now() - 60_000;
		performance.now = () => frozenAt;
		try {
			await provider.publish('chat:1', 'after');
		} finally {
			performance.now = now;
		}
		expect((await provider.history('chat:1')).messages.map(({ data }) => data)).toEqual(['before', 'after']);
		await provider.stop();
		await redis.stop();
	});
});
