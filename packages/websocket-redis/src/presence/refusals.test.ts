import { freePort, type RedisServer, startRedis, until } from '@orijs/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RedisBus } from '../redis-bus.ts';
import { type PresenceBus, SHORT_LEASE_MS, startPresenceBus } from '../test-support/presence-bus.ts';

describe('a Redis that refuses writes', () => {
	let redis: RedisServer;
	let a: PresenceBus;
	let b: PresenceBus;
	const start = (): Promise<PresenceBus> => {
		const bus = new RedisBus({ connection: { port: redis.port }, keyPrefix: 'orijs', connectTimeout: 10_000 });
		return startPresenceBus(bus, ['t'], SHORT_LEASE_MS);
	};
	beforeEach(async () => {
		redis = await startRedis();
		[a, b] = [await start(), await start()];
		await a.put('t', 'k', 'l', 'm');
		await b.put('t', 'l');
	});
	afterEach(() => redis.stop());

	it('as its memory is full: takes no new members, but they can leave, leases go on, and sweeps as well', async () => {
		await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
		await redis.command('CONFIG', 'SET', 'maxmemory', '1');
		await expect(b.put('t', 'new')).rejects.toThrow(/^OOM/);
		await expect(b.put('u', 'new')).rejects.toThrow(/^OOM/);
		expect(await b.keys('t')).toEqual(['k', 'l', 'm']);
		expect((await a.remove('t', 'k')).count).toBe(2);
		expect((await a.apply('t', { kind: 'linger', key: 'm', ms: 60_000 })).count).toBe(2);
		expect((await b.renew()).isKept).toBe(true);
		// Meanwhile, a new node can start.
		const fresh = await start();
		await fresh.untilHandedOut(a.lease);
		expect(await fresh.sweep(a.lease)).toBe(2);
		await redis.command('CONFIG', 'SET', 'maxmemory', '0');
		expect((await fresh.put('t', 'new')).count).toBe(2);
		await until(() => fresh.changes.at(-1)?.count === 2, { what: 'the change arrives' });
	});

	it('for lack of replicas: applies nothing, and can be read', async () => {
		await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
		await expect(a.put('t', 'new')).rejects.toThrow(/^NOREPLICAS/);
		await expect(a.remove('t', 'k')).rejects.toThrow(/^NOREPLICAS/);
		await expect(a.renew()).rejects.toThrow(/^NOREPLICAS/);
		expect(await a.keys('t')).toEqual(['k', 'l', 'm']);
		await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
		expect((await a.remove('t', 'k')).count).toBe(2);
	});

	it('as it became a replica: applies nothing, and goes on as a primary', async () => {
		await redis.command('REPLICAOF', '127.0.0.1', String(await freePort()));
		await expect(a.put('t', 'new')).rejects.toThrow(/^READONLY/);
		await expect(a.renew()).rejects.toThrow(/^READONLY/);
		await until(() => a.statuses.at(-1)?.state === 'degraded', { what: 'the replica is noticed' });
		await redis.command('REPLICAOF', 'NO', 'ONE');
		await a.untilReady();
		// The changes went to a server that was not the primary.
		expect(a.losses.length).toBeGreaterThan(0);
		expect((await a.put('t', 'new')).count).toBe(4);
	});
});
