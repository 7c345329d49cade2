import { type RedisServer, startRedis } from '@orijs/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startNode, type TestNode } from '../test-support/test-nodes.ts';

describe('except, with two nodes on Redis', () => {
	let redis: RedisServer;
	beforeAll(async () => {
		redis = await startRedis();
	});
	afterAll(() => redis.stop());

	it('skips sockets of either node, whichever publishes, in order with other messages', async () => {
		const nodes: TestNode[] = [await startNode({ connection: redis.url }), await startNode({ connection: redis.url })];
		const members = [];
		for (const { node } of nodes) for (let i = 0; i < 3; i++) members.push(await node.connect(['room']));
		const ids = members.map(({ id }) => id);
		const several = [ids[0], ids[3], ids[4], crypto.randomUUID()] as string[];
		const one = ids[5] as string;

		for (const { provider } of nodes) {
			void provider.publish('room', '1');
			void provider.publish('room', '2', { except: several });
			void provider.publish('room', '3', { except: one });
			await provider.publish('room', '4');
			// Bun delivers to this node's sockets at once: the other node's messages must not overtake these.
			await Promise.all(members.map(({ client }) => client.next((message) => message === '4')));
		}

		const rounds = members.map(({ client }) => client.texts.slice(1).join(''));
		expect(rounds).toEqual(['134134', '12341234', '12341234', '134134', '134134', '124124']);
	});

	it('is refused on a topic with history', async () => {
		const history = { 'kept:*': { size: 10, ttlMs: 60_000 } };
		const { provider, node } = await startNode({ connection: redis.url, history });
		const { id } = await node.connect(['kept:1']);

		await expect(provider.publish('kept:1', 'x', { except: id })).rejects.toMatchObject({
			name: 'ExceptWithHistoryError',
			topic: 'kept:1',
		});
		expect((await provider.history('kept:1')).messages).toEqual([]);
	});
});
