import { type RedisServer, startRedis } from '@orijs/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { HistoryUnsupportedError, RedisWsProvider } from '../index.ts';
import { silentLogger } from '../test-support/silent-logger.ts';

const HISTORY = { 'chat:*': { size: 10, ttlMs: 60_000 } };

async function refusalOf(connection: { port: number; username?: string; password?: string }): Promise<Error> {
	const provider = new RedisWsProvider({ connection, history: HISTORY, logger: silentLogger });
	const error: unknown = await provider.start().catch((thrown: unknown) => thrown);
	await provider.stop();
	expect(error).toBeInstanceOf(HistoryUnsupportedError);
	return error as Error;
}

async function startsWithoutHistory(connection: { port: number; username?: string; password?: string }): Promise<void> {
	const provider = new RedisWsProvider({ connection, logger: silentLogger });
	await provider.start();
	await provider.publish('chat:1', 'plain');
	await provider.stop();
}

describe('a Redis that lacks a command', () => {
	it.each(['EVALSHA', 'EVAL', 'SCRIPT', 'XADD', 'XTRIM', 'XREVRANGE', 'HMGET', 'PEXPIRE', 'TIME'])(
		'such as %s is rejected by start, and works without history',
		async (name) => {
			const redis = await startRedis({ config: [`rename-command ${name} ""`] });
			onTestFinished(() => redis.stop());
			const error = await refusalOf({ port: redis.port });
			expect(error.message).toMatch(
				/Redis at localhost:\d+ can't store the history of topics.*Redis replied: .*[Uu]nknown/,
			);
			expect(error.cause).toMatchObject({ name: 'ReplyError' });
			await startsWithoutHistory({ port: redis.port });
		},
	);
});

describe('a Redis user', () => {
	let redis: RedisServer;
	beforeAll(async () => {
		redis = await startRedis();
	});
	afterAll(() => redis.stop());
	beforeEach(() => redis.command('FLUSHALL'));

	/** The permissions listed in the README. */
	const PLAIN = ['resetchannels', '&orijs:*', '+subscribe', '+unsubscribe', '+publish', '+info'];
	const COMMANDS = [
		'evalsha',
		'eval',
		'script|load',
		'xadd',
		'xrange',
		'xrevrange',
		'xtrim',
		'hmget',
		'hset',
		'set',
		'exists',
		'del',
		'pexpire',
		'time',
		'zadd',
		'zrange',
		'zremrangebyrank',
		'zscore',
	];
	let count = 0;
	async function user(...rules: string[]): Promise<{ port: number; username: string; password: string }> {
		const username = `user${count++}`;
		await redis.command('ACL', 'SETUSER', username, 'on', '>pw', ...PLAIN, ...rules);
		return { port: redis.port, username, password: 'pw' };
	}
	const allowed = (names: readonly string[]): string[] => names.map((name) => `+${name}`);

	it('with the documented permissions publishes and reads, also when scripts are lost', async () => {
		const connection = await user('~{orijs:*', ...allowed(COMMANDS));
		const provider = new RedisWsProvider({ connection, history: HISTORY, logger: silentLogger });
		await provider.start();
		await provider.publish('chat:1', 'one', { idempotencyKey: 'k' });
		await redis.command('SCRIPT', 'FLUSH');
		for (let n = 0; n < 20; n++) await provider.publish('chat:1', `${n}`);
		expect((await provider.history('chat:1', { limit: 2 })).messages.map(({ data }) => data)).toEqual(['18', '19']);
		const { epoch, offset } = await provider.history('chat:1');
		expect(await provider.history('chat:1', { since: { epoch, offset } })).toMatchObject({ recovered: true });
		await provider.stop();
	});

	it.each(COMMANDS)('without permission for %s is rejected by start, and works without history', async (name) => {
		const connection = await user('~{orijs:*', ...allowed(COMMANDS.filter((each) => each !== name)));
		const error = await refusalOf(connection);
		expect(error.message).toMatch(
			/can't store the history of topics.*Redis replied: .*(permission|can't run|can't access)/,
		);
		await startsWithoutHistory(connection);
	});

	it('without permission for set is rejected also after another failed start, which leaves no key behind', async () => {
		await refusalOf(await user('~{orijs:*', ...allowed(COMMANDS.filter((name) => name !== 'xrevrange'))));
		await refusalOf(await user('~{orijs:*', ...allowed(COMMANDS.filter((name) => name !== 'set'))));
		expect(await redis.command('KEYS', '*')).toEqual([]);
	});

	it.each([
		['no keys', []],
		['other keys', ['~orijs:*']],
		['read-only keys', ['%R~{orijs:*']],
	])('with %s is rejected by start', async (_, keys) => {
		const connection = await user(...keys, ...allowed(COMMANDS));
		expect((await refusalOf(connection)).message).toMatch(/Redis replied: .*(NOPERM|permission|can't access)/);
		await startsWithoutHistory(connection);
	});

	it('without permission for a channel gets an error, and nothing is stored or delivered', async () => {
		const connection = await user('~{orijs:*', ...allowed(COMMANDS));
		const provider = new RedisWsProvider({ connection, history: HISTORY, logger: silentLogger });
		await provider.start();
		const { username } = connection;
		await redis.command('ACL', 'SETUSER', username, 'resetchannels', '&orijs:!*', '&orijs:\\**', '&orijs:@*');
		await redis.command('DEL', '{orijs:chat:9}:meta', '{orijs:chat:9}:log');
		const published = provider.publish('chat:9', 'x', { idempotencyKey: 'k' });
		await expect(published).rejects.toMatchObject({ name: 'BusUnavailableError', hasHistory: true });
		await expect(published).rejects.toThrow(/NOPERM/);
		expect(await redis.command('KEYS', '{orijs:chat:9}*')).toEqual([]);
		await provider.stop();
	});
});
