import { type RedisServer, startRedis, until } from '@orijs/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HistoryNode, messagesOf, startHistoryNode } from '../test-support/history-node.ts';

const HISTORY = { 'chat:*': { size: 1_000, ttlMs: 600_000 } };

describe('a Redis that loses its scripts', () => {
	let redis: RedisServer;
	let a: HistoryNode;
	let b: HistoryNode;
	beforeEach(async () => {
		redis = await startRedis();
		[a, b] = await Promise.all([startHistoryNode(redis, HISTORY), startHistoryNode(redis, HISTORY)]);
	});
	afterEach(async () => {
		await Promise.all([a.stop(), b.stop()]);
		await redis.stop();
	});

	it('between two messages receives them again, and nothing fails', async () => {
		const { client } = await b.node.connect(['chat:1']);
		const expected = Array.from({ length: 20 }, (_, n) => `${n}`);
		for (const text of expected) {
			await redis.command('SCRIPT', 'FLUSH', 'SYNC');
			await a.provider.publish('chat:1', text, { idempotencyKey: text });
			await redis.command('SCRIPT', 'FLUSH', 'SYNC');
			expect((await b.provider.history('chat:1')).messages.at(-1)?.data).toBe(text);
		}
		await until(() => messagesOf(client).length >= expected.length, { what: 'all arrive' });
		expect(messagesOf(client).map(({ data }) => data)).toEqual(expected);
		expect([...a.gaps, ...b.gaps]).toEqual([]);
	});

	it('under load stores each message once and in order', async () => {
		const { client } = await b.node.connect(['chat:1']);
		const published: Promise<void>[] = [];
		const flushed: Promise<unknown>[] = [];
		for (let n = 0; n < 500; n++) {
			// Each message with a key is a separate append.
			published.push(a.provider.publish('chat:1', `${n}`, { idempotencyKey: `${n}` }));
			if (n % 5 !== 0) continue;
			const flush = redis.command('SCRIPT', 'FLUSH');
			flushed.push(flush);
			await flush;
		}
		await Promise.all([...published, ...flushed]);
		await until(() => messagesOf(client).length >= 500, { what: 'all arrive' });
		const expected = Array.from({ length: 500 }, (_, n) => `${n}`);
		expect(messagesOf(client).map(({ data }) => data)).toEqual(expected);
		const { messages } = await b.provider.history('chat:1', { limit: 1_000 });
		expect(messages.map(({ data }) => data)).toEqual(expected);
	});
});
