import { fakeClock, type RedisServer, startRedis, startTcpProxy, type TcpProxy, until } from '@orijs/testkit';
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

	/** Freezes the current connections, rejects a message on them, and resolves when new connections work. */
	async function reject(text: string) {
		const frozen = proxy.links();
		for (const link of frozen) link.freeze();
		await expect(provider.publish('chat:1', text)).rejects.toBeInstanceOf(BusUnavailableError);
		await until(() => provider.status === 'ready', { what: 'new connections work' });
		return {
			thaw: async () => {
				for (const link of frozen) link.thaw();
				// The connection that was given up ends; the other one goes on.
				await until(() => frozen.some((link) => !proxy.links().includes(link)), { what: 'one of them is over' });
			},
		};
	}

	it('that a frozen connection delivers long after it was rejected is not stored', { timeout: 20_000 }, async () => {
		await provider.publish('chat:1', 'before');
		const { thaw } = await reject('late');
		await Bun.sleep(5_000);
		await thaw();
		await provider.publish('chat:1', 'after');
		expect(await stored()).toEqual(['before', 'after']);
	});

	it('that a frozen connection delivers soon is not stored after a later one', { timeout: 20_000 }, async () => {
		await provider.publish('chat:1', 'before');
		const { thaw } = await reject('overtaken');
		await provider.publish('chat:1', 'after');
		await thaw();
		await provider.publish('chat:1', 'last');
		expect(await stored()).toEqual(['before', 'after', 'last']);
	});
});

it('the clock of a Redis server that is set does not make it refuse messages', async () => {
	const clock = fakeClock(0);
	const redis = await startRedis({ env: clock.env });
	const provider = new RedisWsProvider({
		connection: { port: redis.port },
		history: { 'chat:*': { size: 10, ttlMs: 60_000 } },
		logger: silentLogger,
	});
	await provider.start();
	await provider.publish('chat:1', 'before');
	for (const [aheadMs, text] of [
		[20_000, 'set forward'],
		[-20_000, 'set back'],
		[0, 'set forward again'],
	] as const) {
		clock.set(aheadMs);
		await until(async () => Math.abs((await serverMs(redis)) - clock.now()) < 1_000, { what: 'the clock is set' });
		await provider.publish('chat:1', text);
	}
	const { messages } = await provider.history('chat:1');
	expect(messages.map(({ data }) => data)).toEqual(['before', 'set forward', 'set back', 'set forward again']);
	await provider.stop();
	await redis.stop();
	clock.remove();
});

async function serverMs(redis: RedisServer): Promise<number> {
	const [seconds] = (await redis.command('TIME')) as readonly string[];
	return Number(seconds) * 1_000;
}
