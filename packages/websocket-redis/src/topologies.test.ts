import { startRedis, startRedisCluster, startRedisSentinel } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { RedisWsProvider } from './index.ts';
import { serveHere } from './test-support/node-here.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Two nodes on a connection, one message from one to the other. */
async function passesOver(connection: ConstructorParameters<typeof RedisWsProvider>[0]['connection']): Promise<void> {
	const [a, b] = [0, 1].map(() => new RedisWsProvider({ connection, logger: silent })) as [
		RedisWsProvider,
		RedisWsProvider,
	];
	const node = serveHere(b);
	await Promise.all([a.start(), b.start()]);
	const { client } = await node.connect(['t']);
	await a.publish('t', 'over there');
	expect(await client.next()).toBe('over there');
	await client.close();
	await Promise.all([a.stop(), node.stop()]);
}

describe('messages pass', () => {
	it('over TLS with a password and a database', async () => {
		const redis = await startRedis({ tls: true, password: 'secret' });
		const { host, port, ca } = redis;
		await passesOver({ host, port, password: 'secret', db: 3, tls: { ca: String(ca) } });
		await redis.stop();
	});

	it('whatever else the options say', async () => {
		const redis = await startRedis();
		const stubborn = { keyPrefix: 'mine:', commandTimeout: 1_000, reconnectOnError: () => 2 as const };
		await passesOver({ port: redis.port, ...stubborn });
		await redis.stop();

		const cluster = await startRedisCluster({ masters: 3, replicas: 0 });
		const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }));
		await passesOver({ cluster: nodes, options: { keyPrefix: 'mine:', reconnectOnError: stubborn.reconnectOnError } });
		await cluster.stop();
	});

	it('to the master that Sentinels name', async () => {
		const sentinel = await startRedisSentinel();
		const sentinels = sentinel.sentinels.map(({ host, port }) => ({ host, port }));
		await passesOver({ sentinels, name: sentinel.name });
		await sentinel.stop();
	});
});

describe('a replica', () => {
	it('is refused at start', async () => {
		const master = await startRedis();
		const replica = await startRedis({ replicaOf: master });
		await replica.linkUp();
		const provider = new RedisWsProvider({ connection: { port: replica.port }, logger: silent });
		await expect(provider.start()).rejects.toMatchObject({
			name: 'RedisReplicaError',
			message: expect.stringContaining(`localhost:${replica.port} is a replica`),
		});
		await replica.stop();
		await master.stop();
	});
});
