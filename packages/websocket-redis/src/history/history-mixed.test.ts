import { type RedisServer, startRedis, until } from '@orijs/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HistoryNode, messagesOf, startHistoryNode } from '../test-support/history-nodes.ts';

const RULE = { size: 50, ttlMs: 60_000 };

describe('nodes that keep history of different topics, as during a deploy', () => {
	let redis: RedisServer;
	let keeps: HistoryNode;
	let keepsOther: HistoryNode;
	let keepsNone: HistoryNode;
	beforeEach(async () => {
		redis = await startRedis();
		[keeps, keepsOther, keepsNone] = await Promise.all([
			startHistoryNode(redis, { 'chat:*': RULE }),
			startHistoryNode(redis, { 'news:*': RULE }),
			startHistoryNode(redis),
		]);
	});
	afterEach(async () => {
		await Promise.all([keeps, keepsOther, keepsNone].map((node) => node.stop()));
		await redis.stop();
	});

	it('all hear what one of them stores, text and bytes', async () => {
		const nodes = [keeps, keepsOther, keepsNone];
		const clients = await Promise.all(nodes.map(async ({ node }) => (await node.connect(['chat:1'])).client));
		await keeps.provider.publish('chat:1', 'a');
		await keeps.provider.publish('chat:1', new Uint8Array([1, 2]));
		for (const client of clients) {
			await until(() => client.messages.some((message) => typeof message !== 'string'), { what: 'both have come' });
			expect(messagesOf(client).map(({ data }) => data)).toEqual(['a']);
		}
	});

	it('all hear what those publish that do not store it', async () => {
		const nodes = [keeps, keepsOther, keepsNone];
		const clients = await Promise.all(nodes.map(async ({ node }) => (await node.connect(['chat:1'])).client));
		await keepsOther.provider.publish('chat:1', 'b');
		await keepsNone.provider.publish('chat:1', 'c');
		for (const client of clients) {
			const heard = () => client.texts.filter((text) => text === 'b' || text === 'c');
			await until(() => heard().length === 2, { what: 'both have come' });
			expect(heard().toSorted()).toEqual(['b', 'c']);
		}
	});
});
