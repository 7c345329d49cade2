import { type RedisCluster, type RedisServer, startRedis, startRedisCluster } from '@orijs/testkit';
import { historyConformance } from '@orijs/websocket/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { ClusterBus } from '../cluster/cluster-bus.ts';
import { RedisBus } from '../redis-bus.ts';
import { proxiedBackend } from '../test-support/proxied-backend.ts';

describe('history on one Redis server', () => {
	let redis: RedisServer;
	beforeAll(async () => {
		redis = await startRedis();
	});
	afterAll(() => redis.stop());

	let run = 0;
	const cases = historyConformance(() => {
		const keyPrefix = `run${run++}`;
		return proxiedBackend([redis.port], (options) => {
			const connection = { ...options, host: redis.host, port: redis.port };
			return new RedisBus({ connection, keyPrefix, connectTimeout: 10_000 });
		});
	});
	for (const { name, run: check } of cases) it(name, check);
});

describe('history on a Redis Cluster', () => {
	let cluster: RedisCluster;
	beforeAll(async () => {
		cluster = await startRedisCluster({ replicas: 0 });
	});
	afterAll(() => cluster.stop());

	let run = 0;
	const cases = historyConformance(() => {
		const keyPrefix = `run${run++}`;
		const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }));
		return proxiedBackend(
			nodes.map(({ port }) => port),
			(options) => new ClusterBus({ nodes, options, keyPrefix, connectTimeout: 10_000 }),
		);
	});
	for (const { name, run: check } of cases) it(name, check);
});
