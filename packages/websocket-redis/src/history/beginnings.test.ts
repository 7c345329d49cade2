import { type RedisServer, startRedis, until } from '@orijs/testkit';
import type { Position, Recovery } from '@orijs/websocket';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { historyKeys } from '../test-support/history-keys.ts';
import { type HistoryNode, messagesOf, positionsOf, startHistoryNode } from '../test-support/history-node.ts';

const DAY = 24 * 60 * 60_000;
const HISTORY = { 'chat:*': { size: 5, ttlMs: 60_000 } };
const BEGUN = `{orijs:!}:begun:${DAY}`;

describe('a topic on Redis without messages', () => {
	let redis: RedisServer;
	let a: HistoryNode;
	let b: HistoryNode;
	beforeAll(async () => {
		redis = await startRedis();
	});
	afterAll(() => redis.stop());
	beforeEach(async () => {
		await redis.command('FLUSHALL');
		[a, b] = await Promise.all([startHistoryNode(redis, HISTORY), startHistoryNode(redis, HISTORY)]);
	});
	afterEach(() => Promise.all([a.stop(), b.stop()]));

	const positionOf = async (topic: string): Promise<Position> => {
		const { epoch, offset } = await a.provider.history(topic);
		return { epoch, offset };
	};
	/** Resumes a topic for a new socket, which then leaves it, so that the node no longer follows the topic. */
	const resume = async (
		since: Position,
		topic = 'chat:1',
		{ node, provider } = b,
	): Promise<{ recovery: Recovery | undefined; texts: string[] }> => {
		const { client, id } = await node.connect();
		const recovery = await provider.resume(id, topic, { since });
		await until(() => messagesOf(client).length === recovery?.count, { what: 'all messages arrive' });
		await provider.unsubscribe(id, topic);
		return { recovery, texts: messagesOf(client).map(({ data }) => data) };
	};
	/** Expects that neither a resume nor a page continues a position. */
	const expectLost = async (since: Position): Promise<void> => {
		for (const each of [a, b])
			expect((await resume(since, 'chat:1', each)).recovery).toMatchObject({ recovered: false, count: 0 });
		expect(await a.provider.history('chat:1', { since })).toMatchObject({ recovered: false, messages: [] });
	};
	const begun = async (): Promise<number> => Number(await redis.command('ZCARD', BEGUN)) - 2;

	it('leaves no key and no number when it is read, resumed or subscribed to', async () => {
		const topics = Array.from({ length: 100 }, (_, i) => `chat:${i}`);
		const { id } = await a.node.connect();
		for (const topic of topics) {
			await a.provider.history(topic);
			await b.provider.history(topic, { since: { epoch: 'unknown', offset: 7 } });
			await b.provider.history(topic, { before: { epoch: 'unknown', offset: 7 } });
			await a.provider.resume(id, topic, { rewind: 10 });
			await a.provider.resume(id, topic, { since: { epoch: 'unknown', offset: 0 } });
			await a.provider.unsubscribe(id, topic);
			await a.provider.subscribe(id, topic);
		}
		await b.node.connect(topics);
		expect(await historyKeys(redis)).toEqual([BEGUN]);
		expect(await begun()).toBe(0);
	});

	it('costs one number and two keys once it has a message', async () => {
		for (const topic of ['chat:1', 'chat:2', 'chat:1']) await a.provider.publish(topic, 'x');
		expect(await historyKeys(redis)).toEqual([
			'{orijs:!}:begun:86400000',
			'{orijs:chat:1}:log',
			'{orijs:chat:1}:meta',
			'{orijs:chat:2}:log',
			'{orijs:chat:2}:meta',
		]);
		expect(await begun()).toBe(2);
		expect(await redis.command('TTL', BEGUN)).toBe(-1);
	});

	it('returns everything published since a position from before its first message', async () => {
		const since = await positionOf('chat:1');
		expect((await resume(since)).recovery).toMatchObject({ recovered: true, count: 0 });
		for (const topic of ['chat:2', 'chat:3']) await b.provider.publish(topic, 'elsewhere');
		expect((await resume(since)).recovery).toMatchObject({ recovered: true, count: 0 });
		for (const text of ['1', '2']) await b.provider.publish('chat:1', text);
		for (const each of [a, b])
			expect(await resume(since, 'chat:1', each)).toMatchObject({
				recovery: { recovered: true, count: 2 },
				texts: ['1', '2'],
			});
		const page = await a.provider.history('chat:1', { since });
		expect([page.recovered, page.messages.map(({ data }) => data)]).toEqual([true, ['1', '2']]);
	});

	it('returns none of its messages if the first ones are no longer kept', async () => {
		const since = await positionOf('chat:1');
		for (let n = 0; n < 6; n++) await b.provider.publish('chat:1', `${n}`);
		await expectLost(since);
	});

	it('sends subscribed sockets the position that its first message follows, and reports no gap', async () => {
		const clients = await Promise.all([a, b].map(({ node }) => node.connect()));
		await Promise.all([a, b].map(({ provider }, i) => provider.resume(clients[i]!.id, 'chat:1', {})));
		await b.provider.publish('chat:1', 'first');
		for (const { client } of clients) {
			await until(() => messagesOf(client).length === 1, { what: 'the message arrives' });
			const { epoch, prev } = messagesOf(client)[0]!.position;
			expect(positionsOf(client).map((position) => position.offset)).toEqual([0, prev]);
			expect(positionsOf(client)[1]).toMatchObject({ epoch, offset: 0 });
		}
		expect([...a.gaps, ...b.gaps]).toEqual([]);
	});

	it('is distinguished from one whose messages have expired', async () => {
		const since = await positionOf('chat:1');
		await a.provider.publish('chat:1', 'expired');
		// As if they had expired or been evicted.
		await redis.command('DEL', '{orijs:chat:1}:meta', '{orijs:chat:1}:log');
		await expectLost(since);
		const after = await positionOf('chat:1');
		await a.provider.publish('chat:1', 'new');
		await expectLost(since);
		expect((await resume(after)).texts).toEqual(['new']);
	});

	it.each([
		['all data was lost', ['FLUSHALL']],
		['the numbers were lost', ['DEL', BEGUN]],
	])('does not continue a position from before %s', async (_, [command = '', ...args]) => {
		const since = await positionOf('chat:1');
		await redis.command(command, ...args);
		await expectLost(since);
		await a.provider.publish('chat:1', 'new');
		await expectLost(since);
	});

	it('does not continue a position that is ahead of the store, which has lost data', async () => {
		await a.provider.publish('chat:3', 'kept');
		expect(await redis.command('COPY', BEGUN, 'old')).toBe(1);
		await a.provider.publish('chat:2', 'lost');
		const since = await positionOf('chat:1');
		await redis.command('COPY', 'old', BEGUN, 'REPLACE');
		await redis.command('DEL', 'old');
		await expectLost(since);
	});

	it('does not continue a position of an epoch that ended because its offsets got too high', async () => {
		const since = await positionOf('chat:1');
		await a.provider.publish('chat:1', 'old');
		await redis.command('HSET', '{orijs:chat:1}:meta', 'last', `${2 ** 52 + 1}`);
		await a.provider.publish('chat:1', 'new');
		await expectLost(since);
	});

	it('has its number forgotten a day after it began; each topic that begins removes a few numbers', async () => {
		const early = await positionOf('chat:1');
		for (let i = 0; i < 20; i++) await redis.command('ZADD', BEGUN, `${100 + i}`, `old${i}`);
		const late = await positionOf('chat:1');
		expect((await resume(early)).recovery).toMatchObject({ recovered: true });
		const counts: number[] = [];
		for (let i = 10; i < 14; i++) {
			await a.provider.publish(`chat:${i}`, 'x');
			counts.push(await begun());
		}
		expect(counts).toEqual([14, 8, 3, 4]);
		// This topic might have been one of the forgotten ones.
		await expectLost(early);
		expect((await resume(late)).recovery).toMatchObject({ recovered: true });
		await a.provider.publish('chat:1', 'first');
		await expectLost(early);
		expect((await resume(late)).texts).toEqual(['first']);
	});

	it('is continued although the clock of Redis has been set back', async () => {
		await positionOf('chat:1');
		await redis.command('ZADD', BEGUN, `${Date.now() + DAY}`, 'ahead');
		const since = await positionOf('chat:1');
		await a.provider.publish('chat:2', 'x');
		await a.provider.publish('chat:1', 'first');
		expect((await resume(since)).texts).toEqual(['first']);
		await redis.command('DEL', '{orijs:chat:1}:meta', '{orijs:chat:1}:log');
		await expectLost(since);
	});
});

describe('a full Redis', () => {
	it('answers reads of topics without messages, and does not grow', async () => {
		const redis = await startRedis();
		const node = await startHistoryNode(redis, HISTORY);
		try {
			const { id } = await node.node.connect();
			await node.provider.history('chat:1');
			await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction', 'maxmemory', '1');
			for (let i = 0; i < 100; i++) {
				await node.provider.history(`chat:${i}`);
				await node.provider.resume(id, `chat:${i}`, {});
			}
			expect(await historyKeys(redis)).toEqual([BEGUN]);
			await expect(node.provider.publish('chat:1', 'x')).rejects.toThrow(/OOM/);
			expect(await historyKeys(redis)).toEqual([BEGUN]);
			expect(await redis.command('ZCARD', BEGUN)).toBe(2);
		} finally {
			await node.stop();
			await redis.stop();
		}
	});
});
