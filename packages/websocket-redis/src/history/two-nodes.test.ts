import { type RedisServer, startRedis, until } from '@orijs/testkit';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type HistoryNode, messagesOf, positionsOf, startHistoryNode } from '../test-support/history-node.ts';

const HISTORY = { 'chat:*': { size: 20_000, ttlMs: 600_000 }, 'few:*': { size: 3, ttlMs: 600_000 } };

describe('a topic with history, on two nodes', () => {
	let redis: RedisServer;
	let a: HistoryNode;
	let b: HistoryNode;
	beforeEach(async () => {
		redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
		[a, b] = await Promise.all([startHistoryNode(redis, HISTORY), startHistoryNode(redis, HISTORY)]);
	});
	afterEach(async () => {
		await Promise.all([a.stop(), b.stop()]);
		await redis.stop();
	});

	const publish = (text: string, topic = 'chat:1'): Promise<void> => a.publishUntilAccepted(topic, text);

	it('has one order for all clients: eight publishers on two nodes', async () => {
		const clients = await Promise.all([a, b, a, b].map(async ({ node }) => (await node.connect(['chat:1'])).client));
		const publishers = Array.from({ length: 8 }, (_, p) => (p % 2 === 0 ? a : b).provider);
		const done = publishers.map(async (provider, p) => {
			for (let n = 0; n < 500; n++) {
				const published = provider.publish('chat:1', `${p}:${n}`);
				if (n % 10 === 9) await published;
			}
		});
		await Promise.all(done);
		for (const client of clients) await until(() => messagesOf(client).length >= 4_000, { what: 'all arrive' });
		const [first = [], ...others] = clients.map((client) => messagesOf(client).map(({ data }) => data));
		expect(new Set(first).size).toBe(4_000);
		for (const other of others) expect(other).toEqual(first);
		for (let p = 0; p < 8; p++) {
			const own = first.filter((data) => data.startsWith(`${p}:`));
			expect(own).toEqual(Array.from({ length: 500 }, (_, n) => `${p}:${n}`));
		}
	});

	it('loses nothing when subscribers are killed under load, and reports no gap', async () => {
		const { client } = await b.node.connect(['chat:1']);
		const expected = Array.from({ length: 600 }, (_, n) => `${n}`);
		for (const text of expected) {
			await publish(text);
			if (Number(text) % 150 === 75) await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
		}
		await until(() => messagesOf(client).length >= expected.length, { what: 'all arrive', timeoutMs: 10_000 });
		expect(messagesOf(client).map(({ data }) => data)).toEqual(expected);
		expect(b.gaps.filter(({ topic }) => topic === 'chat:1')).toEqual([]);
	});

	it('loses nothing when Redis restarts with its data', async () => {
		const { client } = await b.node.connect(['chat:1']);
		for (const n of [1, 2, 3]) await publish(`${n}`);
		await redis.kill();
		await until(
			async () => (await a.provider.publish('chat:1', 'never delivered').catch((error: Error) => error)) !== undefined,
			{ what: 'the outage is noticed' },
		);
		await redis.restart();
		for (const n of [4, 5, 6]) await publish(`${n}`);
		await until(() => messagesOf(client).some(({ data }) => data === '6'), {
			what: 'the last message arrives',
			timeoutMs: 10_000,
		});
		expect(messagesOf(client).map(({ data }) => data)).toEqual(['1', '2', '3', '4', '5', '6']);
		expect(b.gaps.filter(({ topic }) => topic === 'chat:1')).toEqual([]);
	});

	it('reports the loss with the next message when its data is gone, and continues from there', async () => {
		const [here, there] = await Promise.all([a.node.connect(['chat:1']), b.node.connect(['chat:1'])]);
		for (const n of [1, 2]) await publish(`${n}`);
		await redis.command('FLUSHALL');
		await publish('3');
		for (const { client } of [here, there]) {
			await until(() => messagesOf(client).length === 3, { what: 'the next message arrives' });
			const [, second, third] = messagesOf(client);
			expect(third?.position.epoch).not.toBe(second?.position.epoch);
			expect(positionsOf(client).at(-1)).toMatchObject({ epoch: third?.position.epoch, offset: third?.position.prev });
		}
		for (const { gaps } of [a, b]) expect(gaps.map(({ topic }) => topic)).toEqual(['chat:1']);
	});

	it('notices a rollback of Redis, also with the same epoch and more messages than before', async () => {
		const { client, id } = await b.node.connect(['chat:1']);
		await publish('kept');
		await until(() => messagesOf(client).length === 1, { what: 'the message arrives' });
		const dump = await Promise.all(
			['meta', 'log'].map((part) => redis.command('COPY', `{orijs:chat:1}:${part}`, `old:${part}`)),
		);
		expect(dump).toEqual([1, 1]);
		await publish('lost');
		await until(() => messagesOf(client).length === 2, { what: 'the message arrives' });
		const lost = messagesOf(client)[1]?.position;
		b.provider.removeConnection(id);
		// The result is as after the promotion of a replica that lagged behind.
		for (const part of ['meta', 'log']) await redis.command('COPY', `old:${part}`, `{orijs:chat:1}:${part}`, 'REPLACE');
		for (const n of [1, 2, 3]) await publish(`new ${n}`);
		const returned = await b.node.connect();
		const recovery = await b.provider.resume(returned.id, 'chat:1', { since: lost });
		expect(recovery).toMatchObject({ recovered: false, count: 0, position: { epoch: lost?.epoch } });
	});

	it('recovers all missed messages or none', async () => {
		const { client, id } = await b.node.connect();
		await b.provider.resume(id, 'few:1', {});
		await publish('1', 'few:1');
		await until(() => messagesOf(client).length > 0, { what: 'the message arrives' });
		const since = messagesOf(client)[0]?.position;
		for (const n of [2, 3, 4]) await publish(`${n}`, 'few:1');
		const all = await a.node.connect();
		expect(await a.provider.resume(all.id, 'few:1', { since })).toMatchObject({ recovered: true, count: 3 });
		await publish('5', 'few:1');
		// A node that was not running before knows only the stored messages.
		const fresh = await startHistoryNode(redis, HISTORY);
		onTestFinished(() => fresh.stop());
		const none = await fresh.node.connect();
		expect(await fresh.provider.resume(none.id, 'few:1', { since })).toMatchObject({ recovered: false, count: 0 });
		expect([messagesOf(all.client).map(({ data }) => data), messagesOf(none.client)]).toEqual([
			['2', '3', '4', '5'],
			[],
		]);
	});

	it('rejects messages during an outage and delivers them nowhere', async () => {
		const { client } = await a.node.connect(['chat:1']);
		await redis.kill();
		let error: unknown;
		await until(
			async () => {
				error = await a.provider.publish('chat:1', 'during the outage').catch((thrown: unknown) => thrown);
				return error !== undefined;
			},
			{ what: 'a publish is rejected' },
		);
		expect(error).toMatchObject({ name: 'BusUnavailableError', hasHistory: true });
		await expect(a.provider.history('chat:1')).rejects.toMatchObject({ name: 'HistoryUnavailableError' });
		await redis.restart();
		await publish('afterwards');
		await until(() => messagesOf(client).length > 0, { what: 'the next message arrives', timeoutMs: 10_000 });
		expect(messagesOf(client).map(({ data }) => data)).toEqual(['afterwards']);
	});

	it('publishes a message with a key once, whichever nodes retry it', async () => {
		const { client } = await b.node.connect(['chat:1']);
		const attempts = Array.from({ length: 100 }, (_, i) =>
			(i % 2 === 0 ? a : b).provider.publish('chat:1', 'once', { idempotencyKey: 'order-7' }),
		);
		await Promise.all(attempts);
		await publish('end');
		await until(() => messagesOf(client).some(({ data }) => data === 'end'), { what: 'the last message arrives' });
		expect(messagesOf(client).map(({ data }) => data)).toEqual(['once', 'end']);
		expect((await a.provider.history('chat:1')).messages.map(({ data }) => data)).toEqual(['once', 'end']);
	});

	it('is read once for all clients that reconnect at the same time', async () => {
		for (let n = 0; n < 50; n++) await publish(`${n}`);
		const { messages } = await a.provider.history('chat:1', { limit: 50 });
		const clients = await Promise.all(Array.from({ length: 100 }, () => b.node.connect()));
		const reads = async (): Promise<number> =>
			Number(/cmdstat_xrevrange:calls=(\d+)/.exec(String(await redis.command('INFO', 'commandstats')))?.[1] ?? 0);
		const before = await reads();
		const recoveries = await Promise.all(
			clients.map(({ id }, i) => b.provider.resume(id, 'chat:1', { since: messages[i % 40]?.position })),
		);
		expect((await reads()) - before).toBe(1);
		for (const [i, recovery] of recoveries.entries())
			expect(recovery).toMatchObject({ recovered: true, count: 49 - (i % 40) });
		for (const [i, { client }] of clients.entries()) {
			await until(() => messagesOf(client).length === 49 - (i % 40), { what: 'all arrive' });
		}
	});
});
