import { freePort, type RedisServer, startRedis, type TestClient, until } from '@orijs/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type HistoryNode, messagesOf, placesOf, startHistoryNode } from '../test-support/history-nodes.ts';

const HISTORY = { 'chat:*': { size: 100, ttlMs: 600_000 } };

describe('a Redis that takes no writes', () => {
	let redis: RedisServer;
	let a: HistoryNode;
	let b: HistoryNode;
	let clients: readonly TestClient[];
	beforeEach(async () => {
		redis = await startRedis();
		[a, b] = await Promise.all([startHistoryNode(redis, HISTORY), startHistoryNode(redis, HISTORY)]);
		const connected = await Promise.all([a, b].map(({ node }) => node.connect(['chat:1'])));
		clients = connected.map(({ client }) => client);
		await publishSurely('before');
		await arrived('before');
	});
	afterEach(async () => {
		await Promise.all([a.stop(), b.stop()]);
		await redis.stop();
	});

	async function publishSurely(text: string): Promise<void> {
		await until(
			() =>
				a.provider.publish('chat:1', text, { idempotencyKey: text }).then(
					() => true,
					() => false,
				),
			{ what: `${text} is accepted`, timeoutMs: 10_000 },
		);
	}

	async function arrived(...texts: string[]): Promise<void> {
		for (const client of clients) {
			await until(() => messagesOf(client).length >= texts.length, { what: `${texts.join()} have come` });
			expect(messagesOf(client).map(({ data }) => data)).toEqual(texts);
		}
	}

	async function isRefused(reason: RegExp): Promise<void> {
		const [plain, keyed] = [
			a.provider.publish('chat:1', 'refused'),
			a.provider.publish('chat:1', 'later', { idempotencyKey: 'later' }),
		];
		for (const published of [plain, keyed]) {
			await expect(published).rejects.toMatchObject({ name: 'BusUnavailableError', topic: 'chat:1', hasHistory: true });
			await expect(published).rejects.toThrow(reason);
		}
	}

	it('because its memory is full refuses, delivers nothing, and lets itself be read; with more memory all works', async () => {
		await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
		await redis.command('CONFIG', 'SET', 'maxmemory', '1');
		await isRefused(/OOM/);
		const page = await b.provider.history('chat:1');
		expect(page.messages.map(({ data }) => data)).toEqual(['before']);
		const late = await b.node.connect();
		expect(await b.provider.resume(late.id, 'chat:1', { rewind: 10 })).toMatchObject({ count: 1 });
		// A node that comes up meanwhile is no reason to keep it from starting.
		const fresh = await startHistoryNode(redis, HISTORY);
		onTestFinished(() => fresh.stop());
		await redis.command('CONFIG', 'SET', 'maxmemory', '0');
		await fresh.provider.publish('chat:1', 'by the new one');
		await publishSurely('later');
		await arrived('before', 'by the new one', 'later');
		expect((await a.provider.history('chat:1')).messages.map(({ data }) => data)).toEqual([
			'before',
			'by the new one',
			'later',
		]);
		expect([...a.gaps, ...b.gaps]).toEqual([]);
	});

	it('for want of replicas refuses and delivers nothing', async () => {
		await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
		await isRefused(/NOREPLICAS/);
		await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
		await publishSurely('later');
		await arrived('before', 'later');
		expect([...a.gaps, ...b.gaps]).toEqual([]);
	});

	it('as it is a replica now refuses and delivers nothing; as a master again it goes on', async () => {
		await redis.command('REPLICAOF', '127.0.0.1', String(await freePort()));
		await isRefused(/READONLY/);
		await until(() => a.provider.status === 'degraded' && b.provider.status === 'degraded', {
			what: 'the nodes see that it is a replica',
		});
		await isRefused(/READONLY|replica|is down/);
		await redis.command('REPLICAOF', 'NO', 'ONE');
		await publishSurely('later');
		await arrived('before', 'later');
		expect([...a.gaps, ...b.gaps].filter(({ topic }) => topic === 'chat:1')).toEqual([]);
	});

	it('as it follows another master, whose data it has then, tells of the loss', async () => {
		const other = await startRedis();
		onTestFinished(() => other.stop());
		await redis.command('REPLICAOF', other.host, String(other.port));
		await isRefused(/READONLY/);
		await redis.linkUp();
		await redis.command('REPLICAOF', 'NO', 'ONE');
		await publishSurely('later');
		await arrived('before', 'later');
		for (const client of clients) {
			const [first, second] = messagesOf(client);
			expect(second?.position.epoch).not.toBe(first?.position.epoch);
			const { epoch, prev: offset } = second?.position ?? {};
			expect(placesOf(client)).toContainEqual(expect.objectContaining({ epoch, offset }));
		}
		for (const { gaps } of [a, b]) expect(gaps.map(({ topic }) => topic)).toContain('chat:1');
	});
});

describe('keys of a topic that something else has damaged', () => {
	const META = '{orijs:chat:1}:meta';
	const LOG = '{orijs:chat:1}:log';
	let redis: RedisServer;
	let a: HistoryNode;
	let client: TestClient;
	beforeAll(async () => {
		redis = await startRedis();
	});
	afterAll(() => redis.stop());
	beforeEach(async () => {
		await redis.command('FLUSHALL');
		a = await startHistoryNode(redis, HISTORY);
		({ client } = await a.node.connect(['chat:1', 'chat:2']));
		await a.provider.publish('chat:1', 'before');
		await until(() => messagesOf(client).length === 1, { what: 'it has come' });
	});
	afterEach(() => a.stop());

	const dataOf = async (topic: string): Promise<unknown[]> =>
		(await a.provider.history(topic)).messages.map(({ data }) => data);

	const publishing = (reason: RegExp) => async (): Promise<void> => {
		const published = a.provider.publish('chat:1', 'refused');
		await expect(published).rejects.toMatchObject({ name: 'BusUnavailableError', topic: 'chat:1', hasHistory: true });
		await expect(published).rejects.toThrow(reason);
	};
	const reading = (reason: RegExp) => async (): Promise<void> => {
		const read = a.provider.history('chat:1');
		await expect(read).rejects.toMatchObject({ name: 'HistoryUnavailableError', topic: 'chat:1' });
		await expect(read).rejects.toThrow(reason);
	};

	it.each([
		['a text for the hash', [['SET', META, 'x']], [publishing(/WRONGTYPE/), reading(/WRONGTYPE/)]],
		[
			'a list for the hash',
			[
				['DEL', META],
				['RPUSH', META, 'x'],
			],
			[publishing(/WRONGTYPE/), reading(/WRONGTYPE/)],
		],
		['a text for the stream', [['SET', LOG, 'x']], [publishing(/WRONGTYPE/), reading(/WRONGTYPE/)]],
		[
			'a hash for the stream',
			[
				['DEL', LOG],
				['HSET', LOG, 'x', 'y'],
			],
			[publishing(/WRONGTYPE/), reading(/WRONGTYPE/)],
		],
		[
			'a message of no kind',
			[
				['DEL', LOG],
				['XADD', LOG, '1-0', 'p', '0', 't', '9e15', 'c', '0', 'd', '?'],
			],
			[reading(/can't be read/)],
		],
		[
			'a message without a time',
			[
				['DEL', LOG],
				['XADD', LOG, '1-0', 'text', 'x'],
			],
			[reading(/user_script/)],
		],
		[
			'an id above all offsets',
			[['XADD', LOG, '18446744073709551615-0', 'p', '1', 't', '1', 'c', '0', 'd', 'Tx']],
			[publishing(/ID/)],
		],
	])('gives errors with what is wrong, and works when they are gone: %s', async (_, damage, refused) => {
		for (const [name = '', ...args] of damage) await redis.command(name, ...args);
		for (const isRefused of refused) await isRefused();
		await a.provider.publish('chat:2', 'elsewhere');
		expect(await dataOf('chat:2')).toEqual(['elsewhere']);
		await redis.command('DEL', META, LOG);
		await a.provider.publish('chat:1', 'after');
		expect(await dataOf('chat:1')).toEqual(['after']);
		await until(() => messagesOf(client).length >= 3, { what: 'all have come' });
		expect(messagesOf(client).map(({ data }) => data)).toEqual(['before', 'elsewhere', 'after']);
	});

	it.each([
		['no epoch', ['HDEL', META, 'epoch']],
		['text for the last offset', ['HSET', META, 'last', 'x']],
		['an offset that is too high', ['HSET', META, 'last', '1e300']],
		['no number for the last offset', ['HSET', META, 'last', 'nan']],
		['no number for the total', ['HSET', META, 'total', 'nan']],
		['an offset below zero', ['HSET', META, 'last', '-3000000000']],
		['a fraction of an offset', ['HSET', META, 'last', '1000000000.5']],
		['no hash', ['DEL', META]],
	])('begins a new epoch, and says so: %s', async (_, [name = '', ...args]) => {
		await redis.command(name, ...args);
		await a.provider.publish('chat:1', 'after');
		await a.provider.publish('chat:1', 'more');
		expect(await dataOf('chat:1')).toEqual(['after', 'more']);
		await until(() => messagesOf(client).length >= 3, { what: 'all have come' });
		const [before, after] = messagesOf(client);
		expect(after?.position.epoch).not.toBe(before?.position.epoch);
		expect(a.gaps.map(({ topic }) => topic)).toEqual(['chat:1']);
	});

	it.each(['from', 'since'])('goes on, and is set right by who reads: no number for %s', async (field) => {
		const good = await redis.command('HGET', META, field);
		await redis.command('HSET', META, field, 'nan');
		await a.provider.publish('chat:1', 'after');
		expect(await dataOf('chat:1')).toEqual(['before', 'after']);
		const set = Number(await redis.command('HGET', META, field));
		// A message was stored at the time of the first script, or a little later.
		expect(set).toBeGreaterThanOrEqual(Number(good));
		expect(set).toBeLessThanOrEqual(Date.now());
		expect(a.gaps).toEqual([]);
	});
});
