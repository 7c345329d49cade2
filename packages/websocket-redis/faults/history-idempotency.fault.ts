import { hasSent, type RedisServer, startRedis, startTcpProxy, type TcpProxy, until } from '@orijs/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisWsProvider } from '../src/index.ts';
import { RecordingClient } from './history/recording-client.ts';
import { NodeProcess } from './history/node-process.ts';
import { HISTORY } from './history/protocol.ts';
import { silentLogger } from '../src/test-support/silent-logger.ts';

const RACERS_PER_NODE = 50;

describe('a message with an idempotency key', () => {
	let redis: RedisServer;
	let nodes: NodeProcess[] = [];
	let proxy: TcpProxy;
	let publisher: RedisWsProvider;
	const clients: RecordingClient[] = [];
	beforeAll(async () => {
		redis = await startRedis();
		proxy = await startTcpProxy({ port: redis.port });
		nodes = await Promise.all([NodeProcess.start(redis.port), NodeProcess.start(redis.port)]);
		publisher = new RedisWsProvider({
			connection: { host: proxy.host, port: proxy.port },
			history: HISTORY,
			logger: silentLogger,
		});
		await publisher.start();
	});
	afterAll(async () => {
		await Promise.all(clients.map((client) => client.close()));
		await publisher.stop();
		await proxy.stop();
		await Promise.all(nodes.map((node) => node.stop()));
		await redis.stop();
	});

	/** Connects a client to each node and subscribes it. */
	async function subscribe(topic: string): Promise<RecordingClient[]> {
		const two = nodes.map(({ url }) => new RecordingClient(url, topic));
		clients.push(...two);
		await Promise.all(two.map((client) => client.subscribe()));
		return two;
	}

	/** Publishes a last message. Returns how many others each client received, and how many others are stored. */
	async function outcome(
		topic: string,
		two: readonly RecordingClient[],
	): Promise<{ received: number[]; stored: number }> {
		await nodes[0]?.ask({ do: 'race', topic, text: 'end', key: undefined, count: 1 });
		await until(() => two.every(({ last }) => last === 'end'), { what: 'the last message arrives' });
		await until(() => publisher.status === 'ready', { what: 'the publisher is ready again' });
		const { messages } = await publisher.history(topic, { limit: 1_000 });
		return { received: two.map(({ texts }) => texts.length - 1), stored: messages.length - 1 };
	}

	for (const [expected, key, times] of [
		['with one key, once', 'one', 1],
		['control: without a key, each time', undefined, 2 * RACERS_PER_NODE],
	] as const) {
		it(`is published at the same time by two nodes: ${expected}`, async () => {
			const topic = `kept:race-${key}`;
			const two = await subscribe(topic);
			const race = { do: 'race', topic, text: 'it', key, count: RACERS_PER_NODE } as const;
			const accepted = await Promise.all(nodes.map((node) => node.ask<number>(race)));
			expect(accepted).toEqual([RACERS_PER_NODE, RACERS_PER_NODE]);
			expect(await outcome(topic, two)).toEqual({ received: [times, times], stored: times });
		});
	}

	for (const [expected, options, times] of [
		['with its key, once', { idempotencyKey: 'again' }, 1],
		['control: without a key, twice', {}, 2],
	] as const) {
		it(`is published again after the reply was lost: ${expected}`, async () => {
			const topic = `kept:again-${times}`;
			const two = await subscribe(topic);
			await until(() => publisher.status === 'ready', { what: 'the publisher is ready' });
			proxy.freeze(hasSent('EVALSHA', 'EVAL', 'SCRIPT'), { direction: 'toClient' });
			const first = publisher.publish(topic, 'it', options).then(
				() => 'accepted',
				() => 'refused',
			);
			await until(() => two.every(({ last }) => last === 'it'), { what: 'Redis has the message' });
			proxy.cut();
			expect(await first).toBe('refused');
			await until(() => publisher.status === 'ready', { what: 'the publisher is ready again' });
			await publisher.publish(topic, 'it', options);
			expect(await outcome(topic, two)).toEqual({ received: [times, times], stored: times });
		});
	}
});
