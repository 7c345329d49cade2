import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRedisSentinel } from './redis-sentinel.ts';
import type { RedisSentinel } from './redis-sentinel.ts';

let sentinel: RedisSentinel;

/** The tests share the servers. Each test leaves everything ready, but another server may have become the primary. */
beforeAll(async () => {
	sentinel = await startRedisSentinel();
});

afterAll(() => sentinel.stop());

test('starts with a primary, its replica and three Sentinels that know each other', async () => {
	expect(await sentinel.primary()).toBe(sentinel.servers[0]);
	expect([sentinel.servers.length, sentinel.sentinels.length]).toEqual([2, 3]);

	for (const { command } of sentinel.sentinels) {
		const address = await command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', sentinel.name);
		expect(address).toEqual(['127.0.0.1', String(sentinel.servers[0]?.port)]);
		expect(await command('SENTINEL', 'CKQUORUM', sentinel.name)).toMatch(/^OK 3/);
	}
});

test('fails over and keeps the data; the old primary becomes a replica', async () => {
	const before = await sentinel.primary();
	await before.command('SET', 'key', 'value');
	await sentinel.failover();

	const after = await sentinel.primary();
	expect(after).not.toBe(before);
	expect(await after.command('GET', 'key')).toBe('value');
	const { role, master_port: port } = await before.info('replication');
	expect([role, port]).toEqual(['slave', String(after.port)]);
});

test('is ready again after the primary is killed, and after it has restarted as a replica', async () => {
	const before = await sentinel.primary();
	await before.kill();
	await sentinel.ready();

	expect(await sentinel.primary()).not.toBe(before);
	await before.restart();
	await sentinel.ready();
	expect((await before.info('replication'))['role']).toBe('slave');
});

test('is ready again after the primary hangs, and after it resumes', async () => {
	const before = await sentinel.primary();
	before.freeze();
	await sentinel.ready();

	expect(await sentinel.primary()).not.toBe(before);
	before.thaw();
	await sentinel.ready();
});

test('fails over without one of the Sentinels, which catches up after its restart', async () => {
	const [first] = sentinel.sentinels;
	await first?.kill();
	await sentinel.failover();
	await first?.restart();
	await sentinel.ready();

	const primary = await sentinel.primary();
	const address = await first?.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', sentinel.name);
	expect(address).toEqual(['127.0.0.1', String(primary.port)]);
});

test('rejects ready() with the reason', async () => {
	for (const one of sentinel.sentinels.slice(1)) await one.kill();
	await (await sentinel.primary()).kill();

	await expect(sentinel.ready(100)).rejects.toThrow(/Sentinels are ready: the (Sentinel|primary) on \d+ /);
	await sentinel.sentinels[0]?.kill();
	await expect(sentinel.ready(100)).rejects.toThrow('no Sentinel is running');
	await expect(sentinel.primary()).rejects.toThrow('no Sentinel answers');
});

test('works with a password and several replicas', async () => {
	const other = await startRedisSentinel({ replicas: 2, sentinels: 1, password: 'secret' });
	await other.failover();

	expect(await other.primary()).not.toBe(other.servers[0]);
	await other.stop();
	await other.stop();
	await expect(startRedisSentinel({ password: 'two words' })).rejects.toThrow(/must not contain spaces/);
});
