import { type RedisServer, spawnBun, startRedis, until } from '@orijs/testkit';
import type { Gap } from '@orijs/websocket';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startNode } from '../test-support/test-nodes.ts';

describe('a process without a server, such as a worker', () => {
	let redis: RedisServer;
	beforeAll(async () => {
		redis = await startRedis();
	});
	afterAll(() => redis.stop());

	it('publishes without setServer, reaches the sockets of a node, and exits by itself after stop()', async () => {
		const history = { 'kept:*': { size: 10, ttlMs: 60_000 } };
		const { provider, node } = await startNode({ connection: redis.url, history });
		const gaps: Gap[] = [];
		provider.onGap((gap) => gaps.push(gap));
		const one = await node.connect(['plain']);
		const other = await node.connect(['plain', 'kept:1']);

		const worker = spawnBun(new URL('../test-support/worker.ts', import.meta.url), {
			args: [one.id],
			env: { REDIS_URL: redis.url },
		});
		expect(await worker.exited).toEqual({ code: 0, signal: null });
		await Promise.all([one, other].map(({ client }) => client.next((message) => message === 'pending 99')));
		await until(() => other.client.texts.some((text) => text.includes('stored')), { what: 'the stored one arrives' });

		const pending = Array.from({ length: 100 }, (_, i) => `pending ${i}`);
		expect(one.client.texts.slice(1).filter((text) => text !== 'for one')).toEqual(['awaited', ...pending]);
		expect(one.client.texts).toContain('for one');
		const plain = other.client.texts.slice(1).filter((text) => !text.startsWith('{'));
		expect(plain).toEqual(['awaited', 'not for one', ...pending]);
		expect((await provider.history('kept:1')).messages).toMatchObject([{ data: 'stored' }]);
		provider.flushGaps();
		expect(gaps).toEqual([]);
	});
});
