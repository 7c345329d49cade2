import { RecordingLogger, type RedisServer, startRedis, until } from '@orijs/testkit';
import { HistoryUnavailableError } from '@orijs/websocket';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RedisWsProvider } from '../index.ts';
import { type LocalNode, serveLocally } from '../test-support/local-node.ts';

describe('a topic whose history can’t be read', () => {
	let redis: RedisServer;
	let provider: RedisWsProvider;
	let node: LocalNode;
	let logger: RecordingLogger;

	beforeEach(async () => {
		redis = await startRedis();
		logger = new RecordingLogger();
		provider = new RedisWsProvider({
			connection: { port: redis.port },
			history: { 'chat:*': { size: 5, ttlMs: 60_000 } },
			logger,
		});
		await provider.start();
		node = serveLocally(provider);
		for (const topic of ['chat:1', 'chat:2']) await redis.command('SET', `{orijs:${topic}}:meta`, 'not a hash');
	});
	afterEach(async () => {
		await node.stop();
		await redis.stop();
	});

	it('refuses subscribe and resume, while others work, until it can be read', async () => {
		const { id } = await node.connect();
		const attempts = [
			provider.subscribe(id, 'chat:1'),
			provider.resume(id, 'chat:2', { rewind: 1 }),
			provider.subscribe(id, 'chat:fine'),
			provider.subscribe(id, 'plain'),
		];
		const [first, second, third, fourth] = await Promise.allSettled(attempts);
		for (const refused of [first, second])
			expect(refused).toMatchObject({ status: 'rejected', reason: expect.any(HistoryUnavailableError) });
		for (const subscribed of [third, fourth]) expect(subscribed?.status).toBe('fulfilled');
		expect([...(provider.getConnection(id)?.data.topics ?? [])]).toEqual(['chat:fine', 'plain']);
		expect(provider.status).toBe('degraded');
		await redis.command('DEL', '{orijs:chat:1}:meta', '{orijs:chat:2}:meta');
		await provider.subscribe(id, 'chat:1');
		expect(provider.status).toBe('degraded');
		await until(() => provider.status === 'ready', { what: 'the other topic is read as well', timeoutMs: 20_000 });
	});

	it('is logged once, however many clients ask for it', async () => {
		const clients = await Promise.all(Array.from({ length: 5 }, () => node.connect()));
		for (let round = 0; round < 2; round++)
			await Promise.allSettled(clients.map(({ id }) => provider.subscribe(id, 'chat:1')));
		const logged = logger.problems.map(({ message }) => message);
		expect(logged.filter((message) => message.includes('chat:1') || message.includes('history'))).toHaveLength(2);
	});

	it('delivers what came meanwhile once it can be read, to sockets that were subscribed before', async () => {
		const { client } = await node.connect(['chat:live']);
		await provider.publish('chat:live', '1');
		await client.next((message) => String(message).includes('"1"'));
		await redis.command('RENAME', '{orijs:chat:live}:log', 'elsewhere');
		await redis.command('SET', '{orijs:chat:live}:log', 'not a stream');
		// Every connection breaks: the topic has to be read again.
		await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
		await until(() => provider.status === 'degraded', { what: 'the topic is found unreadable' });
		await redis.command('RENAME', 'elsewhere', '{orijs:chat:live}:log');
		await provider.publish('chat:live', '2');
		await client.next((message) => String(message).includes('"2"'));
		await until(() => provider.status === 'ready', { what: 'the topic is read' });
	});
});
