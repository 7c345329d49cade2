import { type RedisServer, startRedis, until } from '@orijs/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { BeatsRefusedError } from '../errors.ts';
import { RedisBus } from '../redis-bus.ts';
import { type BeatBus, startBeatBus } from '../test-support/beat-bus.ts';

const start = (connection: { port: number; username?: string; password?: string }): Promise<BeatBus> =>
	startBeatBus(new RedisBus({ connection, keyPrefix: 'orijs', connectTimeout: 10_000 }));

/** Starts a bus whose beats Redis must refuse to collect. Everything else must work. */
async function startsWithoutBeats(connection: { port: number; username?: string; password?: string }): Promise<Error> {
	const a = await start(connection);
	expect(a.bus.liveness?.beats).toBeUndefined();
	expect(a.errors).toEqual([{ error: expect.any(BeatsRefusedError), stage: 'publish' }]);
	await a.bus.publish('!', Buffer.from('plain'));
	await until(() => a.frames.length === 1, { what: 'a beat arrives' });
	return a.errors[0]?.error as Error;
}

describe('a Redis that lacks a command', () => {
	it.each(['EVALSHA', 'ZADD', 'HVALS', 'TIME'])('such as %s does not collect beats', async (name) => {
		const redis = await startRedis({ config: [`rename-command ${name} ""`] });
		onTestFinished(() => redis.stop());
		const error = await startsWithoutBeats({ port: redis.port });
		expect(error.message).toMatch(/Redis at localhost:\d+ does not collect heartbeats.*Redis replied: .*[Uu]nknown/);
		expect(await redis.command('KEYS', '*')).toEqual([]);
	});
});

describe('a Redis user', () => {
	let redis: RedisServer;
	beforeAll(async () => {
		redis = await startRedis();
	});
	afterAll(() => redis.stop());
	beforeEach(() => redis.command('FLUSHALL'));

	/** The permissions listed in the README. */
	const PLAIN = ['resetchannels', '&orijs:*', '+subscribe', '+unsubscribe', '+publish'];
	const COMMANDS = [
		'evalsha',
		'eval',
		'time',
		'hmget',
		'hset',
		'hdel',
		'hlen',
		'hvals',
		'hgetall',
		'zadd',
		'zrange',
		'zrem',
		'zscore',
		'pexpire',
		'del',
	];
	let count = 0;
	async function user(...rules: string[]): Promise<{ port: number; username: string; password: string }> {
		const username = `user${count++}`;
		await redis.command('ACL', 'SETUSER', username, 'on', '>pw', ...PLAIN, ...rules);
		return { port: redis.port, username, password: 'pw' };
	}
	const allowed = (names: readonly string[]): string[] => names.map((name) => `+${name}`);

	it.each([['+info'], ['-info']])('with the documented permissions and %s collects beats', async (info) => {
		await redis.command('SCRIPT', 'FLUSH');
		const a = await start(await user('~{orijs:*', info, ...allowed(COMMANDS)));
		a.beats().describe('x');
		for (const number of [1, 2, 4]) await a.beat(number);
		await redis.command('SCRIPT', 'FLUSH');
		await a.beat(5, { digestEveryMs: 0 });
		await until(() => a.digests.length === 3, { what: 'digests arrive' });
		expect(await a.beats().list()).toHaveLength(1);
		await a.beats().remove('!', a.make(6));
		expect(a.errors).toEqual([]);
	});

	it.each(COMMANDS)('without permission for %s publishes beats, and leaves no key', async (name) => {
		// From the server's cache, scripts run without EVAL.
		await redis.command('SCRIPT', 'FLUSH');
		const others = allowed(COMMANDS.filter((each) => each !== name));
		const error = await startsWithoutBeats(await user('~{orijs:*', '+info', ...others));
		expect(error.message).toMatch(/NOPERM|can't run this command|permission/);
		expect(await redis.command('KEYS', '*')).toEqual([]);
	});

	it('without permission for the keys, or for the channels of single nodes, publishes beats', async () => {
		await startsWithoutBeats(await user('~{other:*', '+info', ...allowed(COMMANDS)));
		await startsWithoutBeats(await user('~{orijs:*', 'resetchannels', '&orijs:!', ...allowed(COMMANDS)));
	});

	it('that loses the permission goes on with plain beats, and reports that once', async () => {
		const connection = await user('~{orijs:*', '+info', ...allowed(COMMANDS));
		const a = await start(connection);
		await a.beat(1);
		await redis.command('ACL', 'SETUSER', connection.username, '-evalsha');
		await a.beat(2, { channel: '!', isCollected: false });
		expect([a.bus.liveness?.beats, a.errors.length]).toEqual([undefined, 1]);
		await until(() => a.frames.length === 2, { what: 'both beats arrive' });
	});
});

describe('a Redis that takes no writes for a time', () => {
	it('publishes beats for all, and collects them again afterwards', async () => {
		const redis = await startRedis();
		onTestFinished(() => redis.stop());
		const a = await start({ port: redis.port });
		const store = a.beats();
		await a.beat(1);
		await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
		const [own, shared] = [a.make(2), a.make(2, { channel: '!' })];
		await expect(store.beat('!', own)).rejects.toThrow('NOREPLICAS');
		await store.beat('!', shared);
		expect(a.bus.liveness?.beats).toBeUndefined();
		expect(a.errors).toMatchObject([{ error: { message: expect.stringContaining('NOREPLICAS') } }]);
		await until(() => a.frames.length === 2, { what: 'both beats arrive' });
		await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
		await until(() => a.bus.liveness?.beats !== undefined, { what: 'beats are collected again' });
		await a.beat(3);
		expect(a.errors).toHaveLength(1);
	});

	it('collects beats also when it is out of memory', async () => {
		const redis = await startRedis();
		onTestFinished(() => redis.stop());
		await redis.command('CONFIG', 'SET', 'maxmemory', '1');
		const a = await start({ port: redis.port });
		await a.beat(1);
		await a.beat(2, { digestEveryMs: 0 });
		await until(() => a.digests.length === 2, { what: 'digests arrive' });
		expect(a.errors).toEqual([]);
	});
});

describe('a store', () => {
	it('rejects beats like messages while Redis is away, and collects them again when it is back', async () => {
		const redis = await startRedis();
		onTestFinished(() => redis.stop());
		const a = await start({ port: redis.port });
		await a.beat(1);
		await redis.kill();
		await until(() => a.statuses.at(-1)?.state === 'degraded', { what: 'the outage is noticed' });
		await expect(a.beat(2)).rejects.toMatchObject({ name: 'RedisConnectionLostError' });
		await expect(a.beats().list()).rejects.toMatchObject({ name: 'RedisConnectionLostError' });
		await redis.restart();
		await until(() => a.statuses.at(-1)?.state === 'ready', { what: 'it is connected again' });
		await a.beat(2);
		expect(a.bus.liveness?.beats).toBeDefined();
		expect(a.errors.filter(({ stage }) => stage === 'publish')).toEqual([]);
		const store = a.beats();
		const beat = a.make(3);
		await a.bus.stop();
		await expect(store.beat('!', beat)).rejects.toMatchObject({ name: 'RedisConnectionLostError' });
	});
});
