import { startRedis, type RedisServer, until } from '@orijs/testkit';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RecordingClient } from './history/recording-client.ts';
import { NodeProcess } from './history/node-process.ts';

const PUBLISHERS_PER_NODE = 4;
const EACH = 5_000;
const ALL = 2 * PUBLISHERS_PER_NODE * EACH;

describe('one order for all clients', () => {
	let redis: RedisServer;
	let nodes: NodeProcess[] = [];
	let clients: RecordingClient[] = [];
	// Set up for each attempt: messages that a client received in a failed one would make the next attempt fail as well.
	beforeEach(async () => {
		redis = await startRedis();
		nodes = await Promise.all([NodeProcess.start(redis.port), NodeProcess.start(redis.port)]);
		clients = nodes.flatMap(({ url }) => [
			new RecordingClient(url, 'all:order'),
			new RecordingClient(url, 'all:order'),
		]);
		await Promise.all(clients.map((client) => client.subscribe()));
	});
	afterEach(async () => {
		await Promise.all(clients.map((client) => client.close()));
		await Promise.all(nodes.map((node) => node.stop()));
		await redis.stop();
	});

	it(`every client receives ${ALL} messages of publishers on two nodes in the same order`, async () => {
		const bursts = nodes.flatMap((node, n) =>
			Array.from({ length: PUBLISHERS_PER_NODE }, (_, p) =>
				node.ask<number>({ do: 'burst', topic: 'all:order', by: `${n}-${p}`, count: EACH }),
			),
		);
		expect(await Promise.all(bursts)).toEqual(bursts.map(() => EACH));
		await until(() => clients.every(({ events }) => events.length >= ALL), {
			what: () => `all arrive: ${clients.map(({ events }) => events.length).join(', ')} of ${ALL}`,
			timeoutMs: 30_000,
		});
		const [first, ...others] = clients.map(({ events }) => events);
		expect(first?.every(({ kind }) => kind === 'message')).toBe(true);
		expect(new Set(clients[0]?.texts).size).toBe(ALL);
		for (const other of others) expect(Bun.deepEquals(other, first)).toBe(true);
		const offsets = (first ?? []).map((event) => (event.kind === 'message' ? event.offset : 0));
		expect(offsets.every((offset, i) => i === 0 || offset > (offsets[i - 1] ?? 0))).toBe(true);
	});

	it('control: numbers assigned first and published later arrive out of order', async () => {
		const received: number[] = [];
		const subscriber = new Redis(redis.port);
		await subscriber.subscribe('control');
		subscriber.on('message', (_, n) => received.push(Number(n)));
		const connections = Array.from({ length: 8 }, () => new Redis(redis.port));
		await Promise.all(
			connections.map(async (connection) => {
				for (let i = 0; i < 500; i++) await connection.publish('control', String(await connection.incr('number')));
			}),
		);
		await until(() => received.length === 4_000, { what: 'all arrive' });
		expect(received.some((n, i) => i > 0 && n < (received[i - 1] ?? 0))).toBe(true);
		for (const connection of [subscriber, ...connections]) connection.disconnect();
	});
});
