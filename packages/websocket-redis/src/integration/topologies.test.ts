import { startRedis, startRedisCluster, startRedisSentinel } from '@orijs/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RedisWsProvider } from '../index.ts';
import { serveLocally } from '../test-support/local-node.ts';
import { silentLogger } from '../test-support/silent-logger.ts';

/** Starts two nodes with these connection options, and sends a message from one to the other. */
async function messagePasses(
	connection: ConstructorParameters<typeof RedisWsProvider>[0]['connection'],
): Promise<void> {
	const [a, b] = [0, 1].map(() => new RedisWsProvider({ connection, logger: silentLogger })) as [
		RedisWsProvider,
		RedisWsProvider,
	];
	const node = serveLocally(b);
	await Promise.all([a.start(), b.start()]);
	const { client } = await node.connect(['t']);
	await a.publish('t', 'hello');
	expect(await client.next()).toBe('hello');
	await client.close();
	await Promise.all([a.stop(), node.stop()]);
}

describe('messages pass between nodes', () => {
	it('over TLS with a password and a database', async () => {
		const redis = await startRedis({ tls: true, password: 'secret' });
		const { host, port, ca } = redis;
		await messagePasses({ host, port, password: 'secret', db: 3, tls: { ca: String(ca) } });
		await redis.stop();
	});

	it('whatever other options the connection has', async () => {
		const redis = await startRedis();
		const odd = { keyPrefix: 'mine:', commandTimeout: 1_000, reconnectOnError: () => 2 as const };
		await messagePasses({ port: redis.port, ...odd });
		await redis.stop();

		const cluster = await startRedisCluster({ primaries: 3, replicas: 0 });
		const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }));
		await messagePasses({ cluster: nodes, options: { keyPrefix: 'mine:', reconnectOnError: odd.reconnectOnError } });
		await cluster.stop();
	});

	it('over the primary that Sentinels name', async () => {
		const sentinel = await startRedisSentinel();
		const sentinels = sentinel.sentinels.map(({ host, port }) => ({ host, port }));
		await messagePasses({ sentinels, name: sentinel.name });
		await sentinel.stop();
	});
});

describe('start', () => {
	it('rejects a node of a Redis Cluster that is given as a single server', async () => {
		const cluster = await startRedisCluster({ replicas: 0 });
		onTestFinished(() => cluster.stop());
		for (const { port } of cluster.nodes) {
			const provider = new RedisWsProvider({ connection: { port }, logger: silentLogger });
			await expect(provider.start()).rejects.toMatchObject({
				name: 'RedisClusterNodeError',
				message: `Redis at localhost:${port} is a node of a Redis Cluster; connect with { cluster: [{ host, port }] }`,
			});
			await provider.stop();
		}
	});

	it('rejects a single server that is given as a Redis Cluster', async () => {
		const redis = await startRedis();
		onTestFinished(() => redis.stop());
		const provider = new RedisWsProvider({ connection: { cluster: [{ port: redis.port }] }, logger: silentLogger });
		await expect(provider.start()).rejects.toMatchObject({
			name: 'NoRedisClusterError',
			message: `Redis at 127.0.0.1:${redis.port} is not a Redis Cluster; connect with { host, port } instead of { cluster }`,
			cause: { message: expect.stringContaining('cluster support disabled') },
		});
		await provider.stop();
	});
});

describe('a replica', () => {
	it('is rejected by start', async () => {
		const primary = await startRedis();
		const replica = await startRedis({ replicaOf: primary });
		await replica.linkUp();
		const provider = new RedisWsProvider({ connection: { port: replica.port }, logger: silentLogger });
		await expect(provider.start()).rejects.toMatchObject({
			name: 'RedisReplicaError',
			message: expect.stringContaining(`localhost:${replica.port} is a replica`),
		});
		await replica.stop();
		await primary.stop();
	});
});
