import { type RedisServer, startRedis, until } from '@orijs/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { RedisBus } from '../redis-bus.ts';
import { type PresenceBus, SHORT_LEASE_MS, startPresenceBus } from '../test-support/presence-bus.ts';

/** Values that no release has written for a member. */
const GARBAGE: readonly (readonly [name: string, value: Buffer])[] = [
	['empty', Buffer.alloc(0)],
	['only a format', Buffer.from([1])],
	['another format', Buffer.from([2, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
	['cut off', Buffer.from([1, 0, 0, 1, 0, 0, 0, 1, 0, 0])],
	['of an unknown lease', Buffer.from([1, 0, 9, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
	['with an info that is cut off', Buffer.from([1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9])],
	['JSON', Buffer.from('{"name":"someone"}')],
	['large', Buffer.alloc(100_000, 0xff)],
];

describe('entries of other programs among the members of a topic', () => {
	let redis: RedisServer;
	let client: Redis;
	let prefix = 0;
	beforeAll(async () => {
		redis = await startRedis();
		client = new Redis({ port: redis.port });
	});
	afterAll(async () => {
		client.disconnect();
		await redis.stop();
	});

	async function startTwo(): Promise<{ a: PresenceBus; b: PresenceBus; membersKey: string; orderKey: string }> {
		const keyPrefix = `p${prefix++}`;
		const start = (): Promise<PresenceBus> => {
			const connection = { port: redis.port };
			return startPresenceBus(new RedisBus({ connection, keyPrefix, connectTimeout: 10_000 }), ['t'], SHORT_LEASE_MS);
		};
		const [a, b] = [await start(), await start()];
		return { a, b, membersKey: `{${keyPrefix}:*t}:members`, orderKey: `{${keyPrefix}:*t}:order` };
	}

	it.each(GARBAGE)('are skipped and counted, and put right by who puts them: %s', async (_, value) => {
		const { a, b, membersKey } = await startTwo();
		await a.put('t', 'a', 'c');
		await client.hset(membersKey, 'b', value);
		const page = await b.presence.read('t', { limit: 10 });
		expect([page.members.map(({ key }) => key), page.skipped, page.count]).toEqual([['a', 'c'], 1, 2]);
		expect(await b.apply('t', { kind: 'remove', key: 'b' }, { kind: 'linger', key: 'b', ms: 9 })).toMatchObject({
			version: { n: 1 },
		});
		expect((await b.put('t', 'b')).count).toBe(3);
		expect(await a.presence.read('t', { limit: 10 })).toMatchObject({ count: 3, skipped: 0 });
		expect((await b.remove('t', 'b')).count).toBe(2);
		await until(() => a.changes.length === 3, { what: 'changes arrive' });
		expect(a.changes.map(({ count }) => count)).toEqual([2, 3, 2]);
	});

	it.each(GARBAGE)('in place of a member are counted right again once it is put: %s', async (_, value) => {
		const { a, b, membersKey } = await startTwo();
		await a.put('t', 'a', 'b', 'c');
		await client.hset(membersKey, 'b', value);
		expect((await a.put('t', 'b')).count).toBe(3);
		expect((await b.remove('t', 'b')).count).toBe(3);
		expect((await a.remove('t', 'a', 'b', 'c')).count).toBe(0);
		expect(await b.keys('t')).toEqual([]);
	});

	it('that remove members are noticed with the next change: the number of members is right again', async () => {
		const { a, b, membersKey } = await startTwo();
		await a.put('t', 'a', 'b', 'c');
		await client.hdel(membersKey, 'b', 'c');
		expect((await b.put('t', 'd')).count).toBe(2);
		expect((await a.put('t', 'b', 'c')).count).toBe(4);
		expect((await a.remove('t', 'a', 'b', 'c')).count).toBe(1);
	});

	it('do not keep a sweep from its end', async () => {
		const { a, b, membersKey } = await startTwo();
		await a.put('t', 'a', 'b');
		await b.put('t', 'c');
		await client.hset(membersKey, 'a', 'garbage', 'd', 'garbage');
		await b.untilHandedOut(a.lease);
		expect(await b.sweep(a.lease)).toBe(1);
		expect(await b.presence.read('t', { limit: 10 })).toMatchObject({
			members: [{ key: 'c' }],
			count: 1,
			skipped: 2,
		});
	});

	it('fill whole pages, which are passed over', async () => {
		const { a, b, membersKey } = await startTwo();
		const garbage = Array.from({ length: 300 }, (_, i) => `garbage:${i}`);
		await client.hset(membersKey, ...garbage.flatMap((key) => [key, 'x']));
		// The state is missing: the topic begins from scratch.
		await a.put('t', 'm');
		await client.hset(membersKey, ...garbage.flatMap((key) => [key, 'x']));
		for (let i = 0; i < 2; i++) {
			const page = await b.presence.read('t', { limit: 10 });
			expect([page.members.map(({ key }) => key), page.skipped, page.hasMore]).toEqual([['m'], 300, false]);
			// From now on, the order is kept.
			await a.put('t', ...Array.from({ length: 100 }, (_each, n) => `n:${n}`));
			await a.put('t', ...Array.from({ length: 100 }, (_each, n) => `o:${n}`));
			await a.remove('t', ...Array.from({ length: 100 }, (_each, n) => `n:${n}`));
			await a.remove('t', ...Array.from({ length: 100 }, (_each, n) => `o:${n}`));
		}
	});

	it('in the order of the members, or a wrong order, do no harm', async () => {
		const { a, b, orderKey } = await startTwo();
		const keys = Array.from({ length: 200 }, (_, i) => `k${String(i).padStart(3, '0')}`);
		await a.put('t', ...keys.slice(0, 100));
		await a.put('t', ...keys.slice(100));
		expect(await client.zcard(orderKey)).toBe(200);
		await client.zadd(orderKey, 0, 'garbage');
		expect(await b.keys('t')).toEqual(keys);
		await client.zrem(orderKey, 'garbage', 'k000');
		expect(await b.keys('t')).toEqual(keys);
		await client.set(orderKey, 'a text');
		expect(await b.keys('t')).toEqual(keys);
		await a.put('t', 'new');
		expect(await client.zcard(orderKey)).toBe(201);
		expect(await b.keys('t')).toEqual([...keys, 'new']);
	});

	it('in place of the state begin a new epoch, and are told as a loss', async () => {
		const { a, b, membersKey } = await startTwo();
		const before = await a.put('t', 'a');
		await b.put('t', 'b');
		await client.hset(membersKey, Buffer.from([0xff]), 'garbage');
		expect(await a.presence.read('t', { limit: 10 })).toMatchObject({ count: 0, version: undefined, members: [] });
		const after = await a.put('t', 'a');
		expect(after.version?.epoch).not.toBe(before.version?.epoch);
		expect(after).toMatchObject({ version: { n: 1 }, count: 1 });
		expect(a.losses.map((isAffected) => [isAffected('t'), isAffected('u')])).toEqual([[true, false]]);
		expect((await b.put('t', 'b')).count).toBe(2);
		expect(b.losses).toHaveLength(1);
	});

	it('as the type of the key count as one unreadable entry, and are replaced', async () => {
		const { a, b, membersKey } = await startTwo();
		await client.set(membersKey, 'a text');
		expect(await a.presence.read('t', { limit: 10 })).toEqual({
			version: undefined,
			count: 0,
			members: [],
			hasMore: false,
			skipped: 1,
		});
		expect(await a.presence.count('t')).toEqual({ version: undefined, count: 0 });
		expect((await a.put('t', 'k')).count).toBe(1);
		expect(await b.keys('t')).toEqual(['k']);
		await client.del(membersKey);
		await client.set(membersKey, 'a text');
		await b.untilHandedOut(a.lease);
		expect(await b.sweep(a.lease)).toBe(0);
	});
});

describe('keys of leases that other programs have given another type', () => {
	it('are lost leases: nodes take new ones', async () => {
		const redis = await startRedis();
		onTestFinished(() => redis.stop());
		const a = await startPresenceBus(
			new RedisBus({ connection: { port: redis.port }, keyPrefix: 'p', connectTimeout: 10_000 }),
		);
		await a.put('t', 'k');
		for (const name of ['order', 'leases', `topics:${a.lease.nodeId}`]) {
			const key = `{p:!presence}:${name}`;
			await redis.command('DEL', key);
			await redis.command('SET', key, 'a text');
			if (!(await a.renew()).isKept) await a.begin();
			await a.put('t', 'k');
			await a.put(`of ${name}`, 'k');
			expect(await redis.command('TYPE', key)).not.toBe('string');
		}
	});
});
