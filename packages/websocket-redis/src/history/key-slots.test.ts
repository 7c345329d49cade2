import { type RedisCluster, startRedisCluster } from '@orijs/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { slotOf } from '../cluster/slot.ts';
import { RedisWsProvider } from '../index.ts';
import { historyKeys } from '../test-support/history-keys.ts';
import { silentLogger } from '../test-support/silent-logger.ts';

const TOPICS = ['chat:1', ':', '.', '-', '_', '::', 'a:key:b', 'a:meta', '__proto__', '0', 't'.repeat(256)];
const PREFIXES = ['orijs', 'a.b', '.', '-', 'p'.repeat(128)];
/** Idempotency keys, some with braces. They must not affect a Redis key's slot, which depends on its first braces. */
const KEYS = ['order-7', '{other}', '}{', '{}', '}', 'ключ', '🔑{é}', '\0', ' \r\n', '{'.repeat(256)];
const HISTORY = { '*': { size: 100, ttlMs: 600_000 } };

describe('the keys of a topic on a Redis Cluster', () => {
	let cluster: RedisCluster;
	beforeAll(async () => {
		cluster = await startRedisCluster({ replicas: 0 });
	});
	afterAll(() => cluster.stop());

	it.each(PREFIXES)('are in the slot of its channel, with the prefix %s', async (keyPrefix) => {
		await Promise.all(cluster.nodes.map((node) => node.command('FLUSHALL')));
		const provider = new RedisWsProvider({
			connection: { cluster: cluster.nodes.map(({ host, port }) => ({ host, port })) },
			keyPrefix,
			history: HISTORY,
			logger: silentLogger,
		});
		await provider.start();
		for (const topic of TOPICS) {
			await Promise.all(KEYS.map((key) => provider.publish(topic, key, { idempotencyKey: key })));
			expect((await provider.history(topic)).messages.map(({ data }) => data)).toEqual(KEYS);
		}
		await provider.stop();

		let count = 0;
		let begun = 0;
		for (const node of cluster.nodes) {
			const client = new Redis({ host: node.host, port: node.port });
			for (const key of await client.keysBuffer('*')) {
				const channel = /^\{([^}]*)\}:/.exec(key.toString('latin1'))?.[1] ?? '';
				const slot = slotOf(channel);
				expect(await client.call('CLUSTER', 'KEYSLOT', key)).toBe(slot);
				expect(await cluster.slotOf(channel)).toBe(slot);
				if (key.includes(':begun:')) begun += (await client.zcard(key)) - 2;
				else count++;
			}
			client.disconnect();
		}
		expect(count).toBe(TOPICS.length * (2 + KEYS.length));
		expect(begun).toBe(TOPICS.length);
	});

	it('do not exist for topics without messages, apart from one key per slot', async () => {
		await Promise.all(cluster.nodes.map((node) => node.command('FLUSHALL')));
		const provider = new RedisWsProvider({
			connection: { cluster: cluster.nodes.map(({ host, port }) => ({ host, port })) },
			history: HISTORY,
			logger: silentLogger,
		});
		await provider.start();
		onTestFinished(() => provider.stop());
		const topics = Array.from({ length: 2_000 }, () => crypto.randomUUID());
		await Promise.all(topics.map((topic) => provider.history(topic)));
		await Promise.all(topics.map((topic) => provider.history(topic)));
		const keys = (await Promise.all(cluster.nodes.map(historyKeys))).flat();
		const slots = new Set(topics.map((topic) => slotOf(`orijs:${topic}`)));
		expect(slots.size).toBeLessThan(topics.length);
		expect(new Set(keys.map((key) => slotOf(/^\{(.*)\}:begun:\d+$/.exec(key)?.[1] ?? '')))).toEqual(slots);
		expect(keys.length).toBe(slots.size);
	});

	it('have no braces or non-ASCII text from a topic or a prefix: those are rejected', async () => {
		const connection = { cluster: cluster.nodes.map(({ host, port }) => ({ host, port })) };
		const provider = new RedisWsProvider({ connection, history: HISTORY, logger: silentLogger });
		await provider.start();
		onTestFinished(() => provider.stop());
		for (const invalid of ['{a}', 'a{b', 'a}b', 'тема', 'é', '🔑', 'a b', '']) {
			expect(() => new RedisWsProvider({ connection, keyPrefix: invalid })).toThrow(/keyPrefix/);
			expect(() => new RedisWsProvider({ connection, history: { [invalid]: { size: 1, ttlMs: 1 } } })).toThrow(
				/history pattern/,
			);
			await expect(provider.publish(invalid, 'x')).rejects.toMatchObject({ name: 'InvalidTopicError' });
		}
	});
});
