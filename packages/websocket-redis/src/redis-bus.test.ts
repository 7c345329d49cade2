import { busConformance } from '@orijs/websocket/testing';
import { type RedisServer, startRedis } from '@orijs/testkit';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { RedisBus } from './redis-bus.ts';
import { proxiedBackend } from './test-support/proxied-backend.ts';

describe('the Redis bus', () => {
	let redis: RedisServer;
	beforeAll(async () => {
		redis = await startRedis();
	});
	afterAll(() => redis.stop());

	let run = 0;
	const cases = busConformance(() => {
		const keyPrefix = `run${run++}`;
		return proxiedBackend([redis.port], (options) => {
			const connection = { ...options, host: redis.host, port: redis.port };
			return new RedisBus({ connection, keyPrefix, connectTimeout: 10_000 });
		});
	});
	for (const { name, run: check } of cases) it(name, check);
});
