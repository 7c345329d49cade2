import { type RedisServer, startRedis } from '@orijs/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { historyKeys } from '../test-support/history-keys.ts';
import { type HistoryNode, startHistoryNode } from '../test-support/history-node.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const HISTORY = {
	'hour:*': { size: 50, ttlMs: 60 * MINUTE },
	'week:*': { size: 50, ttlMs: 7 * DAY },
	'short:*': { size: 50, ttlMs: 500 },
};

describe('the Redis keys of a topic with history', () => {
	let redis: RedisServer;
	let node: HistoryNode;
	beforeAll(async () => {
		redis = await startRedis();
	});
	afterAll(() => redis.stop());
	beforeEach(async () => {
		await redis.command('FLUSHALL');
		node = await startHistoryNode(redis, HISTORY);
	});
	afterEach(() => node.stop());

	/** Expects the key to expire in `ms` milliseconds, or up to 10 s earlier, because the test itself takes time. */
	async function expectExpiry(key: string, ms: number): Promise<void> {
		const left = Number(await redis.command('PTTL', key));
		expect(left, key).toBeLessThanOrEqual(ms);
		expect(left, key).toBeGreaterThan(ms - 10_000);
	}

	/** The keys, except those that count topics, which do not expire. */
	const keys = async (): Promise<string[]> => (await historyKeys(redis)).filter((key) => !key.includes(':begun:'));

	it('do not exist after the start, whose probe leaves nothing behind', async () => {
		expect(await historyKeys(redis)).toEqual([]);
	});

	it.each([
		['hour:1', 60 * MINUTE, DAY],
		['week:1', 7 * DAY, 14 * DAY],
	])('expire as documented: %s', async (topic, ttlMs, rememberedMs) => {
		const { provider } = node;
		await provider.publish(topic, 'first', { idempotencyKey: 'first' });
		const expected = [`{orijs:${topic}}:key:first`, `{orijs:${topic}}:log`, `{orijs:${topic}}:meta`];
		expect(await keys()).toEqual(expected);
		await expectExpiry(expected[0] ?? '', 5 * MINUTE);
		await expectExpiry(expected[1] ?? '', ttlMs);
		await expectExpiry(expected[2] ?? '', rememberedMs);
	});

	it('have their expiry renewed by each message, also by many', async () => {
		const { provider } = node;
		await provider.publish('hour:1', 'first', { idempotencyKey: 'first' });
		for (const part of ['meta', 'log']) await redis.command('PEXPIRE', `{orijs:hour:1}:${part}`, '20000');
		for (let n = 0; n < 300; n++) await provider.publish('hour:1', `${n}`);
		await expectExpiry('{orijs:hour:1}:log', 60 * MINUTE);
		await expectExpiry('{orijs:hour:1}:meta', DAY);
		await expectExpiry('{orijs:hour:1}:key:first', 5 * MINUTE);
		expect(await redis.command('XLEN', '{orijs:hour:1}:log')).toBe(50);
	});

	it('do not have it renewed by a duplicate that is not published', async () => {
		const { provider } = node;
		await provider.publish('hour:1', 'once', { idempotencyKey: 'once' });
		const all = await keys();
		for (const key of all) await redis.command('PEXPIRE', key, '20000');
		await provider.publish('hour:1', 'once', { idempotencyKey: 'once' });
		for (const key of all) await expectExpiry(key, 20_000);
	});

	it('have the expiry of the position, not of messages, renewed by a read', async () => {
		const { provider } = node;
		await provider.publish('hour:1', 'x');
		for (const part of ['meta', 'log']) await redis.command('PEXPIRE', `{orijs:hour:1}:${part}`, '20000');
		await provider.history('hour:1');
		await expectExpiry('{orijs:hour:1}:meta', DAY);
		await expectExpiry('{orijs:hour:1}:log', 20_000);
	});

	it('keep the epoch when the messages have expired', async () => {
		const { provider } = node;
		await provider.publish('short:1', 'old');
		await expect.poll(() => redis.command('EXISTS', '{orijs:short:1}:log'), { interval: 2, timeout: 5_000 }).toBe(0);
		const { epoch, offset, messages } = await provider.history('short:1');
		expect(messages).toEqual([]);
		const { id } = await node.node.connect();
		const nothing = { epoch, offset: 0 };
		expect(await provider.resume(id, 'short:1', { since: nothing })).toMatchObject({ recovered: false, count: 0 });
		expect(await provider.resume(id, 'short:1', { since: { epoch, offset } })).toMatchObject({ recovered: true });
		await provider.publish('short:1', 'new');
		const page = await provider.history('short:1', { since: { epoch, offset } });
		expect(page).toMatchObject({ epoch, recovered: true });
		await expectExpiry('{orijs:short:1}:meta', DAY);
	});
});
