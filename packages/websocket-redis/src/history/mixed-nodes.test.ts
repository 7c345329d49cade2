import { type RedisServer, startRedis, until } from '@orijs/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HistoryNode, messagesOf, startHistoryNode } from '../test-support/history-node.ts';

const RULE = { size: 50, ttlMs: 60_000 };

describe('nodes with different history rules, as during a deploy', () => {
	let redis: RedisServer;
	let withHistory: HistoryNode;
	let withOther: HistoryNode;
	let without: HistoryNode;
	beforeEach(async () => {
		redis = await startRedis();
		[withHistory, withOther, without] = await Promise.all([
			startHistoryNode(redis, { 'chat:*': RULE }),
			startHistoryNode(redis, { 'news:*': RULE }),
			startHistoryNode(redis),
		]);
	});
	afterEach(async () => {
		await Promise.all([withHistory, withOther, without].map((node) => node.stop()));
		await redis.stop();
	});

	it('all receive messages of a node with history for the topic, text and bytes', async () => {
		const nodes = [withHistory, withOther, without];
		const clients = await Promise.all(nodes.map(async ({ node }) => (await node.connect(['chat:1'])).client));
		await withHistory.provider.publish('chat:1', 'a');
		await withHistory.provider.publish('chat:1', new Uint8Array([1, 2]));
		for (const client of clients) {
			await until(() => client.messages.some((message) => typeof message !== 'string'), { what: 'both arrive' });
			expect(messagesOf(client).map(({ data }) => data)).toEqual(['a']);
		}
	});

	it('all receive messages of nodes without history for the topic', async () => {
		const nodes = [withHistory, withOther, without];
		const clients = await Promise.all(nodes.map(async ({ node }) => (await node.connect(['chat:1'])).client));
		await withOther.provider.publish('chat:1', 'b');
		await without.provider.publish('chat:1', 'c');
		for (const client of clients) {
			const received = () => client.texts.filter((text) => text === 'b' || text === 'c');
			await until(() => received().length === 2, { what: 'both arrive' });
			expect(received().toSorted()).toEqual(['b', 'c']);
		}
	});
});
