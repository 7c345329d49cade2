import { freePort, type RedisServer, startRedis, type TestClient, until } from '@orijs/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type HistoryNode, messagesOf, positionsOf, startHistoryNode } from '../test-support/history-node.ts';

const HISTORY = { 'chat:*': { size: 100, ttlMs: 600_000 } };

describe('a Redis that refuses writes', () => {
	let redis: RedisServer;
	let a: HistoryNode;
	let b: HistoryNode;
	let clients: readonly TestClient[];
	beforeEach(async () => {
		redis = await startRedis();
		[a, b] = await Promise.all([startHistoryNode(redis, HISTORY), startHistoryNode(redis, HISTORY)]);
		const connected = await Promise.all([a, b].map(({ node }) => node.connect(['chat:1'])));
		clients = connected.map(({ client }) => client);
		await a.publishUntilAccepted('chat:1', 'before');
		await arrived('before');
	});
	afterEach(async () => {
		await Promise.all([a.stop(), b.stop()]);
		await redis.stop();
	});

	async function arrived(...texts: string[]): Promise<void> {
		for (const client of clients) {
			await until(() => messagesOf(client).length >= texts.length, { what: `${texts.join()} arrive` });
			expect(messagesOf(client).map(({ data }) => data)).toEqual(texts);
		}
	}

	async function expectRefusal(reason: RegExp): Promise<void> {
		const [plain, keyed] = [
			a.provider.publish('chat:1', 'refused'),
			a.provider.publish('chat:1', 'later', { idempotencyKey: 'later' }),
		];
		for (const published of [plain, keyed]) {
			await expect(published).rejects.toMatchObject({ name: 'BusUnavailableError', topic: 'chat:1', hasHistory: true });
			await expect(published).rejects.toThrow(reason);
		}
	}

	it('as its memory is full: delivers nothing, can be read, and recovers with more memory', async () => {
		await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
		await redis.command('CONFIG', 'SET', 'maxmemory', '1');
		await expectRefusal(/OOM/);
		const page = await b.provider.history('chat:1');
		expect(page.messages.map(({ data }) => data)).toEqual(['before']);
		const late = await b.node.connect();
		expect(await b.provider.resume(late.id, 'chat:1', { rewind: 10 })).toMatchObject({ count: 1 });
		// Meanwhile, a new node can start.
		const fresh = await startHistoryNode(redis, HISTORY);
		onTestFinished(() => fresh.stop());
		await redis.command('CONFIG', 'SET', 'maxmemory', '0');
		await fresh.provider.publish('chat:1', 'of the new node');
		await a.publishUntilAccepted('chat:1', 'later');
		await arrived('before', 'of the new node', 'later');
		expect((await a.provider.history('chat:1')).messages.map(({ data }) => data)).toEqual([
			'before',
			'of the new node',
			'later',
		]);
		expect([...a.gaps, ...b.gaps]).toEqual([]);
	});

	it('for lack of replicas: delivers nothing', async () => {
		await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
		await expectRefusal(/NOREPLICAS/);
		await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
		await a.publishUntilAccepted('chat:1', 'later');
		await arrived('before', 'later');
		expect([...a.gaps, ...b.gaps]).toEqual([]);
	});

	it('as it became a replica: delivers nothing, and recovers as a primary', async () => {
		await redis.command('REPLICAOF', '127.0.0.1', String(await freePort()));
		await expectRefusal(/READONLY/);
		await until(() => a.provider.status === 'degraded' && b.provider.status === 'degraded', {
			what: 'the nodes notice the replica',
		});
		await expectRefusal(/READONLY|replica|is down/);
		await redis.command('REPLICAOF', 'NO', 'ONE');
		await a.publishUntilAccepted('chat:1', 'later');
		await arrived('before', 'later');
		expect([...a.gaps, ...b.gaps].filter(({ topic }) => topic === 'chat:1')).toEqual([]);
	});

	it('as it became a replica with the data of another primary: the loss is reported', async () => {
		const other = await startRedis();
		onTestFinished(() => other.stop());
		await redis.command('REPLICAOF', other.host, String(other.port));
		await expectRefusal(/READONLY/);
		await redis.linkUp();
		await redis.command('REPLICAOF', 'NO', 'ONE');
		await a.publishUntilAccepted('chat:1', 'later');
		await arrived('before', 'later');
		for (const client of clients) {
			const [first, second] = messagesOf(client);
			expect(second?.position.epoch).not.toBe(first?.position.epoch);
			const { epoch, prev: offset } = second?.position ?? {};
			expect(positionsOf(client)).toContainEqual(expect.objectContaining({ epoch, offset }));
		}
		for (const { gaps } of [a, b]) expect(gaps.map(({ topic }) => topic)).toContain('chat:1');
	});
});

describe('damaged keys of a topic', () => {
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
		await until(() => messagesOf(client).length === 1, { what: 'the message arrives' });
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
		['a string instead of the hash', [['SET', META, 'x']], [publishing(/WRONGTYPE/), reading(/WRONGTYPE/)]],
		[
			'a list instead of the hash',
			[
				['DEL', META],
				['RPUSH', META, 'x'],
			],
			[publishing(/WRONGTYPE/), reading(/WRONGTYPE/)],
		],
		['a string instead of the stream', [['SET', LOG, 'x']], [publishing(/WRONGTYPE/), reading(/WRONGTYPE/)]],
		[
			'a hash instead of the stream',
			[
				['DEL', LOG],
				['HSET', LOG, 'x', 'y'],
			],
			[publishing(/WRONGTYPE/), reading(/WRONGTYPE/)],
		],
		[
			'a message of unknown kind',
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
	])('cause errors that name the problem, until they are deleted: %s', async (_, damage, refusals) => {
		for (const [name = '', ...args] of damage) await redis.command(name, ...args);
		for (const expectRefused of refusals) await expectRefused();
		await a.provider.publish('chat:2', 'elsewhere');
		expect(await dataOf('chat:2')).toEqual(['elsewhere']);
		await redis.command('DEL', META, LOG);
		await a.provider.publish('chat:1', 'after');
		expect(await dataOf('chat:1')).toEqual(['after']);
		await until(() => messagesOf(client).length >= 3, { what: 'all arrive' });
		expect(messagesOf(client).map(({ data }) => data)).toEqual(['before', 'elsewhere', 'after']);
	});

	it.each([
		['a missing epoch', ['HDEL', META, 'epoch']],
		['text for the last offset', ['HSET', META, 'last', 'x']],
		['an offset that is too high', ['HSET', META, 'last', '1e300']],
		['a last offset of NaN', ['HSET', META, 'last', 'nan']],
		['a total of NaN', ['HSET', META, 'total', 'nan']],
		['a negative offset', ['HSET', META, 'last', '-3000000000']],
		['a fractional offset', ['HSET', META, 'last', '1000000000.5']],
		['a missing hash', ['DEL', META]],
	])('start a new epoch, which is reported: %s', async (_, [name = '', ...args]) => {
		await redis.command(name, ...args);
		await a.provider.publish('chat:1', 'after');
		await a.provider.publish('chat:1', 'more');
		expect(await dataOf('chat:1')).toEqual(['after', 'more']);
		await until(() => messagesOf(client).length >= 3, { what: 'all arrive' });
		const [before, after] = messagesOf(client);
		expect(after?.position.epoch).not.toBe(before?.position.epoch);
		expect(a.gaps.map(({ topic }) => topic)).toEqual(['chat:1']);
	});

	it.each(['from', 'since'])('of NaN for %s are corrected by the next read', async (field) => {
		const valid = await redis.command('HGET', META, field);
		await redis.command('HSET', META, field, 'nan');
		await a.provider.publish('chat:1', 'after');
		expect(await dataOf('chat:1')).toEqual(['before', 'after']);
		const set = Number(await redis.command('HGET', META, field));
		// The corrected value is from the time of the first script, or from a little later.
		expect(set).toBeGreaterThanOrEqual(Number(valid));
		expect(set).toBeLessThanOrEqual(Date.now());
		expect(a.gaps).toEqual([]);
	});
});
