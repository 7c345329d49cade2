import { type RedisServer, startRedis } from '@orijs/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HistoryNode, startHistoryNode } from '../test-support/history-node.ts';

const HISTORY = { 'chat:*': { size: 1_000, ttlMs: 600_000 } };
const KIB = 1_024;

describe('pages of a history on Redis, for clients', () => {
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

	/** Returns how many scripts Redis has run. */
	async function scripts(): Promise<number> {
		const stats = String(await redis.command('INFO', 'commandstats'));
		return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
	}

	it('are those that the other node has stored, text and bytes', async () => {
		await a.provider.publish('chat:1', 'é "quoted"');
		await a.provider.publish('chat:1', Uint8Array.of(0, 255, 1));
		const page = await b.provider.encodedHistory('chat:1', { bytes: 256 * KIB });
		const { messages: known, epoch, offset } = await a.provider.history('chat:1');
		expect(page).toMatchObject({ epoch, offset, hasMore: false, recovered: true });
		const messages = JSON.parse(page.messages) as { data: unknown; position: unknown }[];
		expect(messages.map(({ position }) => position)).toEqual(known.map(({ position }) => position));
		expect(messages.map(({ data }) => data)).toEqual(['é "quoted"', 'AP8B']);
	});

	it('are read once for all clients that request the same page at the same time', async () => {
		await a.provider.publish('chat:1', 'x');
		const before = await scripts();
		const options = { limit: 10, bytes: 256 * KIB };
		const pages = await Promise.all(Array.from({ length: 500 }, () => a.provider.encodedHistory('chat:1', options)));
		expect(new Set(pages).size).toBe(1);
		expect((await scripts()) - before).toBe(1);
	});

	it('do not read more from Redis than they may contain', async () => {
		const text = 'x'.repeat(60 * KIB);
		for (let i = 0; i < 60; i++) await a.provider.publish('chat:1', text);
		const sent = async (): Promise<number> => {
			const stats = String(await redis.command('INFO', 'stats'));
			return Number(/total_net_output_bytes:(\d+)/.exec(stats)?.[1]);
		};
		const before = await sent();
		const page = await a.provider.encodedHistory('chat:1', { limit: 1_000, bytes: 256 * KIB });
		expect((await sent()) - before).toBeLessThan(400 * KIB);
		expect(page.hasMore).toBe(true);
		expect(JSON.parse(page.messages)).toHaveLength(4);
	});

	it('reject within about two seconds while Redis does not answer', async () => {
		await a.provider.publish('chat:1', 'x');
		redis.freeze();
		try {
			await expect(a.provider.encodedHistory('chat:1', { bytes: KIB })).rejects.toMatchObject({
				name: 'HistoryUnavailableError',
			});
		} finally {
			redis.thaw();
		}
	});
});
