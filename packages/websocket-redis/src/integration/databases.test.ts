import { type RedisServer, startRedis, startRedisSentinel } from '@orijs/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { InvalidRedisOptionError, type RedisConnection, RedisWsProvider } from '../index.ts';
import { withoutBeats } from '../test-support/history-keys.ts';
import { messagesOf } from '../test-support/history-node.ts';
import { silentLogger } from '../test-support/silent-logger.ts';
import { startNode } from '../test-support/test-nodes.ts';

const HISTORY = { 'chat:*': { size: 10, ttlMs: 60_000 } };

describe('databases of one Redis', () => {
	let redis: RedisServer;
	beforeAll(async () => {
		redis = await startRedis();
	});
	afterAll(() => redis.stop());
	beforeEach(() => redis.command('FLUSHALL'));

	const inDatabase: Record<string, (db: number) => RedisConnection> = {
		options: (db) => ({ port: redis.port, db }),
		'the path of a URL': (db) => `redis://127.0.0.1:${redis.port}/${db}`,
		'the query of a URL': (db) => `redis://127.0.0.1:${redis.port}?db=${db}`,
		'an instance': (db) => {
			const own = new Redis({ port: redis.port, db, lazyConnect: true });
			onTestFinished(() => own.disconnect());
			return own;
		},
		'a function': (db) => async () => `redis://127.0.0.1:${redis.port}/${db}`,
	};

	describe.each([
		[0, 1],
		[1, 0],
		[1, 11],
	])('%i and %i', (here, there) => {
		it.each(Object.entries(inDatabase))('chosen by %s receive nothing from each other', async (_, connection) => {
			const [a, b, c] = await Promise.all(
				[here, there, there].map((db) => startNode({ connection: connection(db), history: HISTORY })),
			);
			if (!a || !b || !c) throw new Error('three nodes were started');
			const { id, client } = await b.node.connect(['plain', 'chat:1']);
			const heardByNode: string[] = [];
			b.provider.onNodeMessage((text) => heardByNode.push(text));

			await a.provider.publish('plain', 'elsewhere');
			await a.provider.publish('chat:1', 'elsewhere');
			await a.provider.broadcast('elsewhere');
			await expect(a.provider.send(id, 'elsewhere')).rejects.toMatchObject({ name: 'UnknownSocketError' });
			await a.provider.sendToNode(b.provider.nodeId, 'elsewhere').catch(() => {});

			await c.provider.publish('plain', 'here');
			await c.provider.publish('chat:1', 'here');
			await c.provider.broadcast('here, to all');
			await c.provider.send(id, 'here, to one');
			await c.provider.sendToNode(b.provider.nodeId, 'here');
			await expect.poll(() => client.texts.filter((text) => text.includes('here'))).toHaveLength(4);
			await expect.poll(() => heardByNode).toEqual(['here']);
			expect(client.texts.filter((text) => text.includes('elsewhere'))).toEqual([]);
			expect(messagesOf(client).map(({ data }) => data)).toEqual(['here']);
			const pages = await Promise.all([a, b].map(({ provider }) => provider.history('chat:1')));
			expect(pages.map(({ messages }) => messages.map(({ data }) => data))).toEqual([['elsewhere'], ['here']]);
		});
	});

	it('are part of the names of channels, except for 0; keys are in the database', async () => {
		for (const db of [0, 3]) {
			const { provider, node } = await startNode({ connection: { port: redis.port, db }, history: HISTORY });
			await node.connect(['plain', 'chat:1']);
			await provider.publish('chat:1', 'x');
		}
		const channels = (await redis.command('PUBSUB', 'CHANNELS')) as string[];
		const others = channels.filter((name) => !name.includes('@') && !/!([0-9a-f-]{36}|\{)/.test(name));
		expect(others.toSorted()).toEqual(
			['', '#3:'].flatMap((db) => ['!', '*', 'chat:1', 'plain'].map((name) => `orijs:${db}${name}`)).toSorted(),
		);
		for (const db of [0, 3]) {
			const client = new Redis({ port: redis.port, db });
			onTestFinished(() => client.disconnect());
			expect(withoutBeats(await client.keys('*'))).toEqual([
				expect.stringMatching(/^\{orijs:!\}:begun:\d+$/),
				'{orijs:chat:1}:log',
				'{orijs:chat:1}:meta',
			]);
		}
	});

	it('are covered by the documented permissions, and can be permitted one by one', async () => {
		const history =
			'+evalsha +eval +script|load +xadd +xrange +xrevrange +xtrim +hmget +hset +get +set +exists +del +pexpire ' +
			'+time +zadd +zrange +zremrangebyrank +zscore';
		const commands = `+subscribe +unsubscribe +publish +info +select ~{orijs:* ${history}`.split(' ');
		await redis.command('ACL', 'SETUSER', 'all', 'on', '>pw', 'resetchannels', '&orijs:*', ...commands);
		await redis.command('ACL', 'SETUSER', 'three', 'on', '>pw', 'resetchannels', '&orijs:#3:*', ...commands);
		const as = (username: string, db: number): RedisConnection => ({ port: redis.port, username, password: 'pw', db });
		const all = await startNode({ connection: as('all', 3), history: HISTORY });
		const three = await startNode({ connection: as('three', 3), history: HISTORY });
		const { client } = await three.node.connect(['plain', 'chat:1']);
		await all.provider.publish('plain', 'plain');
		await all.provider.publish('chat:1', 'kept');
		await expect.poll(() => client.texts).toContain('plain');
		await expect.poll(() => messagesOf(client).map(({ data }) => data)).toEqual(['kept']);

		const forbidden = new RedisWsProvider({ connection: as('three', 4), logger: silentLogger });
		await expect(forbidden.start()).rejects.toThrow(/NOPERM/);
	});

	it('that cannot be selected are never replaced by database 0', async () => {
		const outside = new RedisWsProvider({ connection: { port: redis.port, db: 99 }, logger: silentLogger });
		await expect(outside.start()).rejects.toThrow(/refused the connection: .*(index|range)/);

		await redis.command('ACL', 'SETUSER', 'limited', 'on', '>pw', 'allchannels', 'allcommands', 'allkeys');
		const connection = { port: redis.port, username: 'limited', password: 'pw', db: 3 };
		const { provider, node } = await startNode({ connection, history: HISTORY });
		await node.connect(['plain']);
		await redis.command('ACL', 'SETUSER', 'limited', '-select');
		await redis.command('CLIENT', 'KILL', 'USER', 'limited');
		await expect.poll(() => provider.status).toBe('degraded');
		const connects = async (): Promise<number> => Number((await redis.info('stats'))['total_connections_received']);
		const before = await connects();
		await expect.poll(connects, { timeout: 10_000 }).toBeGreaterThan(before + 4);
		expect(provider.status).toBe('degraded');
		await expect(provider.publish('chat:1', 'x')).rejects.toMatchObject({ name: 'BusUnavailableError' });
		expect(await redis.command('KEYS', '*')).toEqual([]);

		await redis.command('ACL', 'SETUSER', 'limited', '+select');
		await expect.poll(() => provider.status, { timeout: 10_000 }).toBe('ready');
	});

	it.each<[RedisConnection, string]>([
		[{ db: -1 }, '-1'],
		[{ db: 1.5 }, '1.5'],
		[{ db: Number.NaN }, 'NaN'],
		[{ db: 'three' as never }, '"three"'],
		['redis://:hunter2@localhost/three', '"three"'],
		['redis://:hunter2@localhost/?db=three', '"three"'],
	])('must be whole numbers: %j is refused, as it was given', (connection, shown) => {
		const create = (): unknown => new RedisWsProvider({ connection });
		expect(create).toThrow(InvalidRedisOptionError);
		expect(create).toThrow(`the database must be a whole number, 0 or more, not ${shown}`);
	});
});

it('databases of a primary that Sentinels name receive nothing from each other', async () => {
	const sentinel = await startRedisSentinel({ replicas: 0, sentinels: 1 });
	onTestFinished(() => sentinel.stop());
	const sentinels = sentinel.sentinels.map(({ host, port }) => ({ host, port }));
	const [zero, two, alsoTwo] = await Promise.all(
		[0, 2, 2].map((db) => startNode({ connection: { sentinels, name: sentinel.name, db } })),
	);
	if (!zero || !two || !alsoTwo) throw new Error('three nodes were started');
	const { client } = await two.node.connect(['plain']);
	await zero.provider.publish('plain', 'elsewhere');
	await alsoTwo.provider.publish('plain', 'here');
	expect(await client.next()).toBe('here');
});
