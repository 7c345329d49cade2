import { hasSent, type RedisServer, startRedis, startTcpProxy, type TcpProxy, until } from '@orijs/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisWsProvider } from '../src/index.ts';
import { Follower } from './history/follower.ts';
import { HistoryNode } from './history/history-node.ts';
import { HISTORY } from './history/protocol.ts';
import { SILENT } from './history/silent.ts';

const RACERS_PER_NODE = 50;

describe('a message with a key', () => {
	let redis: RedisServer;
	let nodes: HistoryNode[] = [];
	let proxy: TcpProxy;
	let publisher: RedisWsProvider;
	const followers: Follower[] = [];
	beforeAll(async () => {
		redis = await startRedis();
		proxy = await startTcpProxy({ port: redis.port });
		nodes = await Promise.all([HistoryNode.start(redis.port), HistoryNode.start(redis.port)]);
		publisher = new RedisWsProvider({
			connection: { host: proxy.host, port: proxy.port },
			history: HISTORY,
			logger: SILENT,
		});
		await publisher.start();
	});
	afterAll(async () => {
		await Promise.all(followers.map((follower) => follower.close()));
		await publisher.stop();
		await proxy.stop();
		await Promise.all(nodes.map((node) => node.stop()));
		await redis.stop();
	});

	/** Clients of both nodes. */
	async function follow(topic: string): Promise<Follower[]> {
		const two = nodes.map(({ url }) => new Follower(url, topic));
		followers.push(...two);
		await Promise.all(two.map((follower) => follower.join()));
		return two;
	}

	/** What both heard until a last message, and what is stored, each without that. */
	async function outcome(topic: string, two: readonly Follower[]): Promise<{ heard: number[]; stored: number }> {
		await nodes[0]?.ask({ do: 'race', topic, text: 'end', key: undefined, count: 1 });
		await until(() => two.every(({ last }) => last === 'end'), { what: 'the last message has come' });
		await until(() => publisher.status === 'ready', { what: 'the publisher is back' });
		const { messages } = await publisher.history(topic, { limit: 1_000 });
		return { heard: two.map(({ texts }) => texts.length - 1), stored: messages.length - 1 };
	}

	for (const [what, key, times] of [
		['with one key is published once', 'one', 1],
		['control: without a key, each time', undefined, 2 * RACERS_PER_NODE],
	] as const) {
		it(`raced for from two nodes, ${what}`, async () => {
			const topic = `kept:race-${key}`;
			const two = await follow(topic);
			const race = { do: 'race', topic, text: 'it', key, count: RACERS_PER_NODE } as const;
			const accepted = await Promise.all(nodes.map((node) => node.ask<number>(race)));
			expect(accepted).toEqual([RACERS_PER_NODE, RACERS_PER_NODE]);
			expect(await outcome(topic, two)).toEqual({ heard: [times, times], stored: times });
		});
	}

	for (const [what, options, times] of [
		['with its key is published once', { idempotencyKey: 'again' }, 1],
		['control: without a key, twice', {}, 2],
	] as const) {
		it(`tried again after the answer was lost, ${what}`, async () => {
			const topic = `kept:again-${times}`;
			const two = await follow(topic);
			await until(() => publisher.status === 'ready', { what: 'the publisher is ready' });
			proxy.freeze(hasSent('EVALSHA', 'EVAL', 'SCRIPT'), { direction: 'toClient' });
			const first = publisher.publish(topic, 'it', options).then(
				() => 'accepted',
				() => 'refused',
			);
			await until(() => two.every(({ last }) => last === 'it'), { what: 'Redis has it' });
			proxy.cut();
			expect(await first).toBe('refused');
			await until(() => publisher.status === 'ready', { what: 'the publisher is back' });
			await publisher.publish(topic, 'it', options);
			expect(await outcome(topic, two)).toEqual({ heard: [times, times], stored: times });
		});
	}
});
