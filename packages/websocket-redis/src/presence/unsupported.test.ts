import { type RedisServer, startRedis } from '@orijs/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { PresenceUnsupportedError } from '../index.ts';
import { RedisBus } from '../redis-bus.ts';
import { SHORT_LEASE_MS, startPresenceBus } from '../test-support/presence-bus.ts';

interface Credentials {
	readonly port: number;
	readonly username?: string;
	readonly password?: string;
}

const busOf = (connection: Credentials): RedisBus =>
	new RedisBus({ connection, keyPrefix: 'orijs', connectTimeout: 10_000 });

async function refusalOf(connection: Credentials): Promise<Error> {
	const bus = busOf(connection);
	const error: unknown = await startPresenceBus(bus).catch((thrown: unknown) => thrown);
	expect(error).toBeInstanceOf(PresenceUnsupportedError);
	return error as Error;
}

describe('a Redis that lacks a command', () => {
	it.each(['HSCAN', 'ZADD', 'ZCARD', 'PERSIST', 'TIME', 'HKEYS'])('such as %s is named by prepare', async (name) => {
		const redis = await startRedis({ config: [`rename-command ${name} ""`] });
		onTestFinished(() => redis.stop());
		const error = await refusalOf({ port: redis.port });
		expect(error.message).toMatch(
			/Redis at localhost:\d+ can't keep who is present, for which it must be 7\.0 or newer/,
		);
		expect(error.message).toContain(`no permission for: ${name.toLowerCase()}`);
		expect(await redis.command('KEYS', '*')).toEqual([]);
	});

	it.each(['EVALSHA', 'EVAL', 'SCRIPT'])('that all scripts need, such as %s, is rejected by prepare', async (name) => {
		const redis = await startRedis({ config: [`rename-command ${name} ""`] });
		onTestFinished(() => redis.stop());
		expect((await refusalOf({ port: redis.port })).message).toMatch(/unknown (sub)?command/i);
	});
});

describe('a Redis user', () => {
	let redis: RedisServer;
	beforeAll(async () => {
		redis = await startRedis();
	});
	afterAll(() => redis.stop());
	beforeEach(async () => {
		await redis.command('FLUSHALL');
		// From the server's cache, scripts run without EVAL.
		await redis.command('SCRIPT', 'FLUSH');
	});

	/** The permissions listed in the README. */
	const PLAIN = ['resetchannels', '&orijs:*', '+subscribe', '+unsubscribe', '+publish', '+info'];
	const RUNNING = ['evalsha', 'eval', 'script|load'];
	const COMMANDS = [
		'time',
		'hmget',
		'hset',
		'hdel',
		'hlen',
		'hkeys',
		'hgetall',
		'hscan',
		'zadd',
		'zrem',
		'zcard',
		'zrange',
		'pexpire',
		'persist',
		'del',
	];
	let count = 0;
	async function user(...rules: string[]): Promise<Credentials> {
		const username = `user${count++}`;
		await redis.command('ACL', 'SETUSER', username, 'on', '>pw', ...PLAIN, ...rules);
		return { port: redis.port, username, password: 'pw' };
	}
	const allowed = (names: readonly string[]): string[] => names.map((name) => `+${name}`);
	const all = allowed([...RUNNING, ...COMMANDS]);

	it('with the documented permissions does all, also when scripts are lost', async () => {
		const connection = await user('~{orijs:*', ...all);
		const start = () => startPresenceBus(busOf(connection), ['t'], SHORT_LEASE_MS);
		const [a, b] = [await start(), await start()];
		const many = Array.from({ length: 300 }, (_, i) => `k${i}`);
		for (let at = 0; at < 300; at += 100) await a.put('t', ...many.slice(at, at + 100));
		await redis.command('SCRIPT', 'FLUSH');
		await b.put('t', 'k0');
		await b.apply('t', { kind: 'linger', key: 'k0', ms: 10 });
		expect(await b.keys('t')).toHaveLength(300);
		await b.renew();
		await b.untilHandedOut(a.lease);
		expect(await b.sweep(a.lease)).toBe(300);
		expect((await b.apply('t', { kind: 'expire', key: 'k0' })).count).toBe(0);
		await b.presence.release(b.lease, 0);
	});

	it.each(COMMANDS)('without permission for %s is told so by prepare', async (name) => {
		const others = COMMANDS.filter((each) => each !== name);
		const error = await refusalOf(await user('~{orijs:*', ...allowed([...RUNNING, ...others])));
		expect(error.message).toMatch(new RegExp(`no permission for: ${name}$`));
	});

	it.each(RUNNING)('without permission for %s is told so by prepare', async (name) => {
		const others = RUNNING.filter((each) => each !== name);
		const error = await refusalOf(await user('~{orijs:*', ...allowed([...others, ...COMMANDS])));
		expect(error.message).toMatch(/permission|can't run/);
	});

	it.each([
		['no keys', []],
		['other keys', ['~orijs:*']],
	])('with %s is told which ones are needed', async (_, keys) => {
		const { message } = await refusalOf(await user(...keys, ...all));
		expect(message).toMatch(/no permission for: commands on keys that begin with "\{orijs:" \(brace included\)$/);
	});

	it('with read-only keys is told which commands may not use them', async () => {
		const { message } = await refusalOf(await user('%R~{orijs:*', ...all));
		expect(message).toMatch(/no permission for: hset, hdel, zadd/);
	});

	it('without permission for the channels is told which ones are needed', async () => {
		const error = await refusalOf(await user('~{orijs:*', ...all, 'resetchannels', '&orijs:!*'));
		expect(error.message).toContain('publish on channels that begin with "orijs:*"');
	});

	it('that loses permission for a channel gets an error, and nothing is applied', async () => {
		const connection = await user('~{orijs:*', ...all);
		const a = await startPresenceBus(busOf(connection));
		await a.put('t', 'k');
		await redis.command('ACL', 'SETUSER', connection.username as string, 'resetchannels', '&orijs:!*');
		await expect(a.put('t', 'l')).rejects.toThrow(/NOPERM.*presence channel/);
		await expect(a.put('u', 'l')).rejects.toThrow(/NOPERM.*presence channel/);
		expect([await a.keys('t'), await a.keys('u')]).toEqual([['k'], []]);
	});
});
