import { Redis } from 'ioredis';
import { createClient, createClientPool, createCluster, createSentinel } from 'redis';
import { describe, expect, it } from 'vitest';
import { InvalidRedisOptionError, RedisWsProvider } from '../index.ts';

const NODE_REDIS = 'a client of the package redis \\(node-redis\\)';
const ALLOWED =
	'connection must be ioredis options such as \\{ host, port \\}, a redis:// URL, \\{ cluster: \\[\\.\\.\\.\\] \\}, ' +
	'an ioredis instance, or a function that returns options; not ';

describe('a client of another package', () => {
	const clients: [string, () => unknown, string][] = [
		['createClient()', () => createClient(), NODE_REDIS],
		['createClient({ url })', () => createClient({ url: 'redis://localhost:6379' }), NODE_REDIS],
		['createCluster()', () => createCluster({ rootNodes: [] }), NODE_REDIS],
		['createSentinel()', () => createSentinel({ name: 'm', sentinelRootNodes: [{ host: 'h', port: 1 }] }), NODE_REDIS],
		['createClientPool()', () => createClientPool(), NODE_REDIS],
		['new Bun.RedisClient()', () => new Bun.RedisClient(), "Bun's RedisClient"],
		['another client', () => ({ connect() {}, duplicate() {} }), 'a client of another package'],
		['the class of ioredis', () => Redis, 'class Redis'],
		['a list', () => [], '\\[…\\]'],
		['a port', () => 6379, '6379'],
	];

	it.each(clients)('%s is rejected: the error says what it is, and what is allowed', (_, create, what) => {
		const make = (): unknown => new RedisWsProvider({ connection: create() as never });
		expect(make).toThrow(InvalidRedisOptionError);
		expect(make).toThrow(new RegExp(`^${ALLOWED}${what}$`));
	});

	it.each(clients.slice(0, 6))('%s is rejected as the result of a function', async (_, create, what) => {
		const provider = new RedisWsProvider({ connection: create as () => never });
		await expect(provider.start()).rejects.toThrow(
			new RegExp(`must return ioredis options or a redis:// URL, not ${what}$`),
		);
	});
});
