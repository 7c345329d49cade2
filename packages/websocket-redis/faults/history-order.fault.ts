import { startRedis, type RedisServer, until } from '@orijs/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Follower } from './history/follower.ts';
import { HistoryNode } from './history/history-node.ts';

const PUBLISHERS_PER_NODE = 4;
const EACH = 5_000;
const ALL = 2 * PUBLISHERS_PER_NODE * EACH;

describe('one order for all', () => {
	let redis: RedisServer;
	let nodes: HistoryNode[] = [];
	let followers: Follower[] = [];
	beforeAll(async () => {
		redis = await startRedis();
		nodes = await Promise.all([HistoryNode.start(redis.port), HistoryNode.start(redis.port)]);
		followers = nodes.flatMap(({ url }) => [new Follower(url, 'all:order'), new Follower(url, 'all:order')]);
		await Promise.all(followers.map((follower) => follower.join()));
	});
	afterAll(async () => {
		await Promise.all(followers.map((follower) => follower.close()));
		await Promise.all(nodes.map((node) => node.stop()));
		await redis.stop();
	});

	it(`${ALL} messages of publishers on two nodes come to every client in the same order`, async () => {
		const bursts = nodes.flatMap((node, n) =>
			Array.from({ length: PUBLISHERS_PER_NODE }, (_, p) =>
				node.ask<number>({ do: 'burst', topic: 'all:order', by: `${n}-${p}`, count: EACH }),
			),
		);
		expect(await Promise.all(bursts)).toEqual(bursts.map(() => EACH));
		await until(() => followers.every(({ told }) => told.length >= ALL), {
			what: () => `all have come: ${followers.map(({ told }) => told.length).join(', ')} of ${ALL}`,
			timeoutMs: 30_000,
		});
		const [first, ...others] = followers.map(({ told }) => told);
		expect(first?.every(({ kind }) => kind === 'message')).toBe(true);
		expect(new Set(followers[0]?.texts).size).toBe(ALL);
		for (const other of others) expect(Bun.deepEquals(other, first)).toBe(true);
		const offsets = (first ?? []).map((one) => (one.kind === 'message' ? one.offset : 0));
		expect(offsets.every((offset, i) => i === 0 || offset > (offsets[i - 1] ?? 0))).toBe(true);
	});

	it('control: numbers that are drawn first and published then come out of order', async () => {
		const heard: number[] = [];
		const subscriber = new Redis(redis.port);
		await subscriber.subscribe('control');
		subscriber.on('message', (_, n) => heard.push(Number(n)));
		const connections = Array.from({ length: 8 }, () => new Redis(redis.port));
		await Promise.all(
			connections.map(async (connection) => {
				for (let i = 0; i < 500; i++) await connection.publish('control', String(await connection.incr('number')));
			}),
		);
		await until(() => heard.length === 4_000, { what: 'all have come' });
		expect(heard.some((n, i) => i > 0 && n < (heard[i - 1] ?? 0))).toBe(true);
		for (const connection of [subscriber, ...connections]) connection.disconnect();
	});
});
