import { type RedisServer, startRedis, startRedisSentinel } from '@orijs/testkit';
import { Redis, type RedisOptions } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { RedisConnection } from '../index.ts';
import { startNode } from '../test-support/test-nodes.ts';

async function messagePasses(connection: RedisConnection): Promise<void> {
	const [a, b] = [await startNode({ connection }), await startNode({ connection })];
	const { client } = await b.node.connect(['t']);
	await a.provider.publish('t', 'hello');
	expect(await client.next()).toBe('hello');
}

/** Closes the instance at the end of the test. */
function closing(own: Redis): Redis {
	own.on('error', () => {});
	onTestFinished(() => own.disconnect());
	return own;
}

describe('an ioredis instance, as its user creates it', () => {
	let redis: RedisServer;
	let secure: RedisServer;
	beforeAll(async () => {
		redis = await startRedis({ password: 'secret' });
		secure = await startRedis({ password: 'secret', tls: true });
	});
	afterAll(() => Promise.all([redis, secure].map((server) => server.stop())));

	const url = (db = 0): string => `redis://default:secret@127.0.0.1:${redis.port}/${db}`;
	const create: Record<string, (more: { lazyConnect: boolean }) => Redis> = {
		'a URL': (more) => new Redis(url(), more),
		'a URL and a database': (more) => new Redis(url(2), more),
		'port, host and options': (more) => new Redis(redis.port, '127.0.0.1', { password: 'secret', ...more }),
		'a secure URL': (more) => new Redis(secure.url, { tls: { ca: String(secure.ca) }, ...more }),
		'tls options': (more) =>
			new Redis({ host: secure.host, port: secure.port, password: 'secret', tls: { ca: String(secure.ca) }, ...more }),
		'its own reconnection options': (more) =>
			new Redis(url(), { retryStrategy: () => null, maxRetriesPerRequest: null, enableOfflineQueue: false, ...more }),
	};

	describe.each([true, false])('with lazyConnect: %s', (lazyConnect) => {
		it.each(Object.entries(create))('and %s passes messages, and stays as it is', async (_, make) => {
			const own = closing(make({ lazyConnect }));
			await messagePasses(own);
			if (lazyConnect) expect(own.status).toBe('wait');
			if (own.status !== 'ready') await own.connect().catch(() => {});
			await expect.poll(() => own.status).toBe('ready');
			expect(await own.ping()).toBe('PONG');
		});
	});
});

describe('a Sentinel group whose servers have different addresses here', () => {
	it('passes messages with a natMap, over options and over an instance', async () => {
		const group = await startRedisSentinel({ replicas: 0, sentinels: 1, password: 'secret' });
		onTestFinished(() => group.stop());
		const primary = await group.primary();
		// A second server takes the place of the one that the Sentinel names.
		const reachable = await startRedis({ password: 'mapped' });
		onTestFinished(() => reachable.stop());
		const options: RedisOptions = {
			sentinels: group.sentinels.map(({ host, port }) => ({ host, port })),
			name: group.name,
			password: 'mapped',
			natMap: { [`${primary.host}:${primary.port}`]: { host: reachable.host, port: reachable.port } },
		};
		await messagePasses(options);
		await messagePasses(closing(new Redis({ ...options, lazyConnect: true, replyMapping: 'legacy' })));
		expect(Number((await reachable.info('stats'))['total_connections_received'])).toBeGreaterThan(8);
	});

	it('is reconnected to, even if the options say to give up when no Sentinel answers', async () => {
		const group = await startRedisSentinel({ replicas: 0, sentinels: 1 });
		onTestFinished(() => group.stop());
		const sentinels = group.sentinels.map(({ host, port }) => ({ host, port }));
		const connection = { sentinels, name: group.name, sentinelRetryStrategy: () => null };
		const { provider } = await startNode({ connection });
		const [[sentinel], [primary]] = [group.sentinels, group.servers];
		await sentinel?.kill();
		await primary?.command('CLIENT', 'KILL', 'TYPE', 'normal');
		await primary?.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
		await expect.poll(() => provider.status).toBe('degraded');
		await sentinel?.restart();
		await expect.poll(() => provider.status, { timeout: 10_000 }).toBe('ready');
	});
});
