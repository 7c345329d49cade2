import { type RedisCluster, startRedisCluster, until } from '@orijs/testkit';
import { Cluster, type ClusterOptions } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { InvalidRedisOptionError, type RedisConnection, RedisWsProvider } from '../index.ts';
import { startNode } from '../test-support/test-nodes.ts';

const HISTORY = { 'chat:*': { size: 10, ttlMs: 60_000 } };
const PASSWORD = { password: 'secret' };
/** Enough topics for every shard to have a few. */
const TOPICS = Array.from({ length: 24 }, (_, i) => `topic:${i}`);

describe('a Redis Cluster, as its user connects to it', () => {
	let cluster: RedisCluster;
	let nodes: { host: string; port: number }[];
	beforeAll(async () => {
		cluster = await startRedisCluster({ replicas: 0, password: 'secret' });
		nodes = cluster.nodes.map(({ host, port }) => ({ host, port }));
	});
	afterAll(() => cluster.stop());

	function instance(...[listed, options]: ConstructorParameters<typeof Cluster>): Cluster {
		const own = new Cluster(listed, options);
		// ioredis prints errors that have no listener.
		own.on('error', () => {});
		onTestFinished(() => own.disconnect());
		return own;
	}

	async function messagesPass(connection: RedisConnection): Promise<void> {
		const [a, b] = await Promise.all([0, 1].map(() => startNode({ connection, history: HISTORY })));
		if (!a || !b) throw new Error('two nodes were started');
		const { client } = await b.node.connect([...TOPICS, 'chat:1']);
		await Promise.all(TOPICS.map((topic) => a.provider.publish(topic, topic)));
		await a.provider.publish('chat:1', 'kept');
		await expect.poll(() => client.texts.filter((text) => text.startsWith('topic:'))).toHaveLength(TOPICS.length);
		await expect.poll(() => client.texts.some((text) => text.includes('kept'))).toBe(true);
	}

	const listings: Record<string, () => ConstructorParameters<typeof Cluster>> = {
		'URLs with the password': () => [nodes.map(({ host, port }) => `redis://:secret@${host}:${port}`)],
		'URLs with user and password': () => [nodes.map(({ host, port }) => `redis://default:secret@${host}:${port}/0`)],
		'addresses as text': () => [nodes.map(({ host, port }) => `${host}:${port}`), { redisOptions: PASSWORD }],
		'a password per node': () => [nodes.map((node) => ({ ...node, ...PASSWORD }))],
		'a port alone': () => [nodes.slice(0, 1).map(({ port }) => port), { redisOptions: PASSWORD }],
		'a password per node that overrides the common one': () => [
			nodes.map((node) => ({ ...node, ...PASSWORD })),
			{ redisOptions: { password: 'wrong' } },
		],
		'names, whose addresses the cluster reports': () => [
			nodes.map(({ port }) => ({ host: 'redis.test', port, ...PASSWORD })),
			{ dnsLookup: (_, done) => done(null, '127.0.0.1') },
		],
		'a name with SRV records': () => [
			[{ host: '_redis._tcp.test' }],
			{
				redisOptions: PASSWORD,
				useSRVRecords: true,
				resolveSrv: (_, done) =>
					done(
						null,
						nodes.map(({ port }) => ({ name: 'redis.test', port, priority: 1, weight: 1 })),
					),
				dnsLookup: (_, done) => done(null, '127.0.0.1'),
			},
		],
		'a database, which ioredis ignores': () => [nodes, { redisOptions: { ...PASSWORD, db: 3, keyPrefix: 'mine:' } }],
	};

	it.each(Object.entries(listings))('messages pass over an instance with %s', async (_, listing) => {
		const own = instance(...listing());
		expect(await own.set('k', 'v')).toBe('OK');
		await messagesPass(own);
		expect(await own.get('k')).toBe('v');
	});

	it.each(Object.entries(listings))('messages pass over an unconnected instance with %s', async (_, listing) => {
		const [listed, options] = listing();
		const own = instance(listed, { ...options, lazyConnect: true });
		await messagesPass(own);
		expect(own.status).toBe('wait');
	});

	it('messages pass over an instance that is created in the same expression as the provider', async () => {
		await messagesPass(instance(nodes, { redisOptions: PASSWORD }));
	});

	it.each([
		['URLs', () => ({ cluster: nodes.map(({ host, port }) => `redis://:secret@${host}:${port}`) })],
		['a password per node', () => ({ cluster: nodes.map((node) => ({ ...node, ...PASSWORD })) })],
		['common options', () => ({ cluster: nodes.slice(0, 1), options: PASSWORD })],
		['a function', () => ({ cluster: nodes.slice(0, 1), options: async () => PASSWORD })],
	])('messages pass over { cluster } with %s', async (_, connection) => {
		await messagesPass(connection());
	});

	it.each([
		['no list', { cluster: 'redis://localhost' }, /must list at least one node/],
		['a node that is null', { cluster: [null] }, /must list nodes as \{ host, port \}.*, not null/],
		[
			'options under the name in ioredis',
			{ cluster: ['redis://h'], redisOptions: {} },
			/no option redisOptions; options are cluster, options, natMap/,
		],
		[
			'options as a string',
			{ cluster: ['redis://h'], options: 'redis://:hunter2@h' },
			/^(?!.*hunter2).*must be ioredis options/,
		],
		['options that are null', { cluster: ['redis://h'], options: null }, /must be ioredis options.*, not null/],
		['another database', { cluster: ['redis://h'], options: { db: 3 } }, /supports only database 0, not 3/],
	])('rejects { cluster } with %s', (_, connection, message) => {
		const create = (): unknown => new RedisWsProvider({ connection: connection as never });
		expect(create).toThrow(InvalidRedisOptionError);
		expect(create).toThrow(message);
	});

	describe('whose nodes announce addresses that are not reachable from here', () => {
		const natMap: Record<string, { host: string; port: number }> = {};
		beforeAll(async () => {
			// Only clients use this port; the nodes still reach each other.
			for (const [i, node] of cluster.nodes.entries()) {
				await node.command('CONFIG', 'SET', 'cluster-announce-port', String(i + 1));
				natMap[`${node.host}:${i + 1}`] = { host: node.host, port: node.port };
			}
			const areKnown = async (node: RedisCluster['nodes'][number]): Promise<boolean> => {
				const slots = (await node.command('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
				return ['1', '2', '3'].every((port) => slots.some(([, , [, announced]]) => String(announced) === port));
			};
			await until(async () => (await Promise.all(cluster.nodes.map(areKnown))).every(Boolean), {
				what: 'all nodes know the announced ports',
				timeoutMs: 10_000,
			});
		});

		const maps: Record<string, () => NonNullable<ClusterOptions['natMap']>> = {
			'an object': () => natMap,
			'a function': () => (address) => natMap[address] ?? null,
		};
		it.each(Object.entries(maps))('messages pass over an instance whose natMap is %s', async (_, map) => {
			const own = instance(nodes, { natMap: map(), redisOptions: PASSWORD });
			expect(await own.set('k', 'v')).toBe('OK');
			await messagesPass(own);
		});

		it('messages pass over an unconnected instance with a password per node', async () => {
			await messagesPass(
				instance(
					nodes.map((node) => ({ ...node, ...PASSWORD })),
					{ natMap, lazyConnect: true },
				),
			);
		});

		it.each(Object.entries(maps))('messages pass over { cluster, natMap } with %s', async (_, map) => {
			await messagesPass({ cluster: nodes, options: PASSWORD, natMap: map() });
		});
	});
});
