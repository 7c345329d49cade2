import { type RedisServer, startRedis } from '@orijs/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HistoryUnsupportedError, RedisWsProvider } from '../index.ts';
import { messagesOf } from '../test-support/history-node.ts';
import { silentLogger } from '../test-support/silent-logger.ts';
import { startNode } from '../test-support/test-nodes.ts';

const HISTORY = { 'kept:*': { size: 10, ttlMs: 60_000 }, '*:kept:*': { size: 10, ttlMs: 60_000 } };

describe('applications whose prefixes begin with the same characters', () => {
	let redis: RedisServer;
	beforeAll(async () => {
		redis = await startRedis();
	});
	afterAll(() => redis.stop());
	beforeEach(() => redis.command('FLUSHALL'));

	it.each(['app.x', 'app-x', 'app_x', 'appx', 'ap'])('app and %s receive nothing from each other', async (longer) => {
		const connection = { port: redis.port };
		const app = await startNode({ connection, keyPrefix: 'app', history: HISTORY });
		const [other, alsoOther] = [
			await startNode({ connection, keyPrefix: longer, history: HISTORY }),
			await startNode({ connection, keyPrefix: longer, history: HISTORY }),
		];
		const { id, client } = await other.node.connect(['t', 'kept:1']);
		const heardByNode: string[] = [];
		other.provider.onNodeMessage((text) => heardByNode.push(text));
		const rest = longer.slice('app'.length + 1);
		for (const topic of ['t', 'x:t', `${rest}:t`, ':t', 'kept:1', 'x:kept:1', `${rest}:kept:1`]) {
			await app.provider.publish(topic, 'foreign');
		}
		await app.provider.broadcast('foreign');
		await expect(app.provider.send(id, 'foreign')).rejects.toMatchObject({ name: 'UnknownSocketError' });
		await app.provider.sendToNode(other.provider.nodeId, 'foreign');

		await alsoOther.provider.publish('t', 'own');
		await alsoOther.provider.publish('kept:1', 'own');
		await alsoOther.provider.sendToNode(other.provider.nodeId, 'own');
		await expect.poll(() => client.texts).toContain('own');
		await expect.poll(() => messagesOf(client).map(({ data }) => data)).toEqual(['own']);
		await expect.poll(() => heardByNode).toEqual(['own']);
		expect(client.texts.filter((text) => text.includes('foreign'))).toEqual([]);
		const { messages } = await other.provider.history('kept:1');
		expect(messages.map(({ data }) => data)).toEqual(['own']);
	});

	it('are separated by the documented permissions', async () => {
		const commands =
			'+subscribe +unsubscribe +publish +info +evalsha +eval +script|load +xadd +xrange +xrevrange +xtrim +hmget +hset ' +
			'+get +set +exists +del +pexpire +time +zadd +zrange +zremrangebyrank +zscore';
		const rules = ['on', '>pw', 'resetchannels', '&app:*', '~{app:*', ...commands.split(' ')];
		await redis.command('ACL', 'SETUSER', 'app', ...rules);
		const connection = { port: redis.port, username: 'app', password: 'pw' };
		const { provider, node } = await startNode({ connection, keyPrefix: 'app', history: HISTORY });
		const { client } = await node.connect(['x:t', 'kept:1']);
		await provider.publish('x:t', 'own');
		await provider.publish('kept:1', 'own');
		await expect.poll(() => client.texts).toContain('own');

		for (const keyPrefix of ['app.x', 'appx', 'ap', 'orijs']) {
			const plain = new RedisWsProvider({ connection, keyPrefix, logger: silentLogger });
			await expect(plain.start()).rejects.toThrow(/NOPERM/);
			const withHistory = new RedisWsProvider({ connection, keyPrefix, history: HISTORY, logger: silentLogger });
			await expect(withHistory.start()).rejects.toThrow(HistoryUnsupportedError);
		}
	});

	it.each(['app:x', 'app:', ':', '::'])('cannot be distinguished if one is %s, which is rejected', (keyPrefix) => {
		expect(() => new RedisWsProvider({ connection: { port: redis.port }, keyPrefix })).toThrow(
			/keyPrefix must be 1 to 128 characters from A-Z a-z 0-9 _ \. - \(a colon is added after it\), not /,
		);
	});
});
