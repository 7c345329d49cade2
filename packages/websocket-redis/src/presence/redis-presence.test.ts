import {
	type FakeClock,
	fakeClock,
	type RedisCluster,
	type RedisServer,
	startRedis,
	startRedisCluster,
	until,
} from '@orijs/testkit';
import { presenceConformance } from '@orijs/websocket/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { ClusterBus } from '../cluster/cluster-bus.ts';
import { RedisBus } from '../redis-bus.ts';
import { proxiedBackend } from '../test-support/proxied-backend.ts';

describe('presence on one Redis server', () => {
	let redis: RedisServer;
	let clock: FakeClock;
	beforeAll(async () => {
		clock = fakeClock();
		redis = await startRedis({ env: clock.env });
	});
	afterAll(async () => {
		await redis.stop();
		clock.remove();
	});

	async function moveClock(byMs: number): Promise<void> {
		clock.set(clock.offsetMs + byMs);
		const isSet = async (): Promise<boolean> => {
			const [seconds] = (await redis.command('TIME')) as readonly string[];
			return Math.abs(Number(seconds) * 1_000 - clock.now()) < 2_000;
		};
		await until(isSet, { what: 'the clock is set' });
	}

	let run = 0;
	const cases = presenceConformance(() => {
		const keyPrefix = `run${run++}`;
		const backend = proxiedBackend([redis.port], (options) => {
			const connection = { ...options, host: redis.host, port: redis.port };
			return new RedisBus({ connection, keyPrefix, connectTimeout: 10_000 });
		});
		return { ...backend, moveClock, losePresence: async () => void (await redis.command('FLUSHALL')) };
	});
	for (const { name, run: check } of cases) it(name, check);
});

describe('presence on a Redis Cluster', () => {
	let cluster: RedisCluster;
	beforeAll(async () => {
		cluster = await startRedisCluster({ replicas: 0 });
	});
	afterAll(() => cluster.stop());

	let run = 0;
	const cases = presenceConformance(() => {
		const keyPrefix = `run${run++}`;
		const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }));
		const backend = proxiedBackend(
			nodes.map(({ port }) => port),
			(options) => new ClusterBus({ nodes, options, keyPrefix, connectTimeout: 10_000 }),
		);
		const losePresence = async (): Promise<void> => {
			await Promise.all(cluster.nodes.map((node) => node.command('FLUSHALL')));
		};
		return { ...backend, losePresence };
	});
	// Handing out a lease again takes 5 seconds.
	for (const { name, run: check } of cases) it(name, { timeout: 15_000 }, check);
});
