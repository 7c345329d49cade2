import { startRedis, until } from '@orijs/testkit';
import { BusUnavailableError } from '@orijs/websocket';
import { expect, it } from 'vitest';
import { RedisWsProvider } from '../index.ts';

it('logs a message that could not be stored, also if its promise is not awaited', async () => {
	const redis = await startRedis();
	const errors: string[] = [];
	const provider = new RedisWsProvider({
		connection: { port: redis.port },
		history: { 'chat:*': { size: 5, ttlMs: 60_000 } },
		logger: { debug() {}, info() {}, warn() {}, error: (message) => errors.push(message) },
	});
	await provider.start();
	await redis.kill();
	await until(() => provider.status !== 'ready', { what: 'the outage is noticed' });
	const [first, second] = [provider.publish('chat:1', 'a'), provider.publish('chat:2', 'b')];
	await expect(first).rejects.toBeInstanceOf(BusUnavailableError);
	await expect(second).rejects.toBeInstanceOf(BusUnavailableError);
	const logged = errors.filter((message) => message.startsWith('WebSocket failure (publish)'));
	expect(logged).toHaveLength(1);
	expect(logged[0]).toMatch(/chat:1/);
	await provider.stop();
	await redis.stop();
});
