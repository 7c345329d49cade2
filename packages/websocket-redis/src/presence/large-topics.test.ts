import { type RedisServer, startRedis } from '@orijs/testkit';
import type { PresenceOp } from '@orijs/websocket';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RedisBus } from '../redis-bus.ts';
import { type PresenceBus, SHORT_LEASE_MS, startPresenceBus } from '../test-support/presence-bus.ts';

const MEMBERS = 10_000;

const keyOf = (i: number): string => `user:${String(i).padStart(5, '0')}`;

const put = (key: string): PresenceOp => ({
	kind: 'put',
	key,
	connections: 1,
	ageMs: 0,
	info: JSON.stringify({ name: `The name of ${key}` }),
});

describe(`a topic with ${MEMBERS} members`, () => {
	let redis: RedisServer;
	let a: PresenceBus;
	let b: PresenceBus;
	beforeAll(async () => {
		redis = await startRedis();
	});
	afterAll(() => redis.stop());
	beforeEach(async () => {
		await redis.command('FLUSHALL');
		const start = (): Promise<PresenceBus> => {
			const bus = new RedisBus({ connection: { port: redis.port }, keyPrefix: 'orijs', connectTimeout: 10_000 });
			return startPresenceBus(bus, ['t'], SHORT_LEASE_MS);
		};
		[a, b] = [await start(), await start()];
		// Most are on one node, and some on both.
		for (let at = 0; at < MEMBERS; at += 100) {
			const ops = Array.from({ length: 100 }, (_, i) => put(keyOf(at + i)));
			await a.apply('t', ...ops);
			if (at % 1_000 === 0) await b.apply('t', ...ops);
		}
	});

	it('is read page by page, in order', async () => {
		const keys: string[] = [];
		for (let after = '', hasMore = true; hasMore;) {
			const page = await b.presence.read('t', { after, limit: 1_000 });
			expect([page.count, page.skipped]).toEqual([MEMBERS, 0]);
			keys.push(...page.members.map(({ key }) => key));
			after = keys.at(-1) ?? '';
			({ hasMore } = page);
		}
		expect(keys).toEqual(Array.from({ length: MEMBERS }, (_, i) => keyOf(i)));
		expect(await b.presence.count('t')).toMatchObject({ count: MEMBERS });
	});

	it('is swept in short steps', async () => {
		await b.untilHandedOut(a.lease);
		expect(await b.sweep(a.lease)).toBe(MEMBERS);
		expect(await b.presence.count('t')).toMatchObject({ count: MEMBERS / 10 });
		expect(await b.keys('t')).toHaveLength(MEMBERS / 10);
		const { cmdstat_hscan: stats = '' } = await redis.info('commandstats');
		expect(Number(/calls=(\d+)/.exec(stats)?.[1])).toBeGreaterThan(MEMBERS / 200);
	});

	it('leaves nothing behind but its state, which expires', async () => {
		const all = Array.from({ length: MEMBERS }, (_, i) => keyOf(i));
		for (let at = 0; at < MEMBERS; at += 100) {
			await a.remove('t', ...all.slice(at, at + 100));
			await b.remove('t', ...all.slice(at, at + 100));
		}
		expect(await b.presence.count('t')).toMatchObject({ count: 0 });
		expect(await redis.command('HLEN', '{orijs:*t}:members')).toBe(1);
		expect(Number(await redis.command('PTTL', '{orijs:*t}:members'))).toBeGreaterThan(590_000);
		expect(await redis.command('EXISTS', '{orijs:*t}:order')).toBe(0);
		await a.put('t', 'k');
		expect(await redis.command('PTTL', '{orijs:*t}:members')).toBe(-1);
	});
});

it('the topics in which a node has no more records are no longer registered', async () => {
	const redis = await startRedis();
	try {
		const bus = new RedisBus({ connection: { port: redis.port }, keyPrefix: 'orijs', connectTimeout: 10_000 });
		const a = await startPresenceBus(bus);
		const topics = Array.from({ length: 1_200 }, (_, i) => `t${i}`);
		await Promise.all(topics.map((topic) => a.put(topic, 'k')));
		const key = `{orijs:!presence}:topics:${a.lease.nodeId}`;
		expect(await redis.command('HLEN', key)).toBe(1_200);
		await Promise.all(topics.slice(0, 1_100).map((topic) => a.remove(topic, 'k')));
		await a.put('t0', 'k');
		await a.renew();
		// While it is being unregistered, a topic is registered again.
		await Promise.all(topics.slice(0, 10).map((topic) => a.put(topic, 'k')));
		await a.renew();
		await a.renew();
		expect(await redis.command('HLEN', key)).toBe(110);
	} finally {
		await redis.stop();
	}
});
