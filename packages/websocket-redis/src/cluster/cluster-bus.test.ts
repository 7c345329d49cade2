import { type RedisCluster, startRedisCluster, until } from '@orijs/testkit';
import { busConformance } from '@orijs/websocket/testing';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClusterBus } from './cluster-bus.ts';
import { InvalidRedisOptionError, RedisWsProvider } from '../index.ts';
import { serveLocally } from '../test-support/local-node.ts';
import { proxiedBackend } from '../test-support/proxied-backend.ts';

describe('the bus on a Redis Cluster', () => {
	let cluster: RedisCluster;
	beforeAll(async () => {
		cluster = await startRedisCluster({ replicas: 0, password: 'secret' });
	});
	afterAll(() => cluster.stop());

	const nodes = (): { host: string; port: number }[] => cluster.nodes.map(({ host, port }) => ({ host, port }));

	let run = 0;
	const cases = busConformance(() => {
		const keyPrefix = `run${run++}`;
		return proxiedBackend(
			cluster.nodes.map(({ port }) => port),
			(options) =>
				new ClusterBus({
					nodes: nodes(),
					options: { ...options, password: 'secret' },
					keyPrefix,
					connectTimeout: 10_000,
				}),
		);
	});
	for (const { name, run: check } of cases) it(name, check);

	it('subscribes to a topic on one shard only', async () => {
		const provider = new RedisWsProvider({
			connection: { cluster: nodes().slice(0, 1), options: { password: 'secret' } },
		});
		const node = serveLocally(provider);
		await provider.start();
		const { client } = await node.connect(['chat:1']);
		const primary = await cluster.primaryOf('orijs:chat:1');
		const counts = await Promise.all(
			cluster.nodes.map(async (each) => [
				each.id === primary.id,
				await each.command('PUBSUB', 'SHARDNUMSUB', 'orijs:chat:1'),
			]),
		);
		expect(counts.toSorted(([a], [b]) => Number(a) - Number(b))).toEqual([
			[false, ['orijs:chat:1', 0]],
			[false, ['orijs:chat:1', 0]],
			[true, ['orijs:chat:1', 1]],
		]);
		await client.close();
		await node.stop();
	});

	it('tells that a channel has moved until that is reported as an interruption', async () => {
		const bus = new ClusterBus({
			nodes: nodes(),
			options: { password: 'secret' },
			keyPrefix: 'moving',
			connectTimeout: 10_000,
		});
		const interruptions: (readonly string[] | 'all')[] = [];
		await bus.start({
			deliver() {},
			appended() {},
			status() {},
			interrupted: (channels) => interruptions.push(channels),
			undelivered() {},
			replaced() {},
			refused() {},
			error() {},
		});
		await bus.subscribe(['t']);
		let wasTold = false;
		let isWatching = true;
		const watch = (): void => {
			wasTold ||= bus.liveness.isInterrupted('t');
			if (isWatching) setImmediate(watch);
		};
		watch();
		const from = await cluster.primaryOf('moving:t');
		const to = (await cluster.primaries()).find(({ id }) => id !== from.id);
		expect([wasTold, to]).toEqual([false, expect.anything()]);
		await cluster.moveSlot(await cluster.slotOf('moving:t'), from, to as typeof from);
		await until(() => interruptions.length > 0, { what: 'the interruption is reported' });
		isWatching = false;

		expect(interruptions).toEqual([['t']]);
		expect([wasTold, bus.liveness.isInterrupted('t')]).toEqual([true, false]);
		await bus.stop();
	});

	it('accepts a Cluster instance and leaves it open', async () => {
		const own = new Cluster(nodes().slice(0, 1), { redisOptions: { password: 'secret' } });
		await own.ping();
		const provider = new RedisWsProvider({ connection: own });
		await provider.start();
		await provider.publish('chat:1', 'x');
		await provider.stop();
		expect(await own.ping()).toBe('PONG');
		own.disconnect();
	});

	it.each([
		[
			'a wrong password',
			() => ({ cluster: nodes(), options: { password: 'wrong' } }),
			10_000,
			/refused the connection: .*WRONGPASS/,
		],
		[
			'unreachable nodes',
			() => ({ cluster: [{ host: '127.0.0.1', port: 1 }] }),
			500,
			/127\.0\.0\.1:1 could not be reached/,
		],
	])('does not start with %s, and reports why', async (_, connection, connectTimeout, message) => {
		const provider = new RedisWsProvider({ connection: connection(), connectTimeout });
		await expect(provider.start()).rejects.toThrow(message);
	});

	it('rejects an empty list of nodes', () => {
		expect(() => new RedisWsProvider({ connection: { cluster: [] } })).toThrow(InvalidRedisOptionError);
	});
});

describe('a Redis Cluster without sharded publish/subscribe', () => {
	it('is rejected by start, which names the required release', async () => {
		const old = await startRedisCluster({ replicas: 0, args: ['--rename-command', 'SSUBSCRIBE', ''] });
		const provider = new RedisWsProvider({
			connection: { cluster: old.nodes.map(({ host, port }) => ({ host, port })) },
		});
		await expect(provider.start()).rejects.toMatchObject({
			name: 'ClusterUnsupportedError',
			message: expect.stringContaining('Redis 7.0 or newer'),
		});
		await old.stop();
	});
});
