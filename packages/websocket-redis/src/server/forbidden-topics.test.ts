import { type RedisServer, startRedis, until } from '@orijs/testkit';
import type { Gap, ProviderStatus } from '@orijs/websocket';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisWsProvider } from '../index.ts';
import { type LocalNode, serveLocally } from '../test-support/local-node.ts';
import { silentLogger } from '../test-support/silent-logger.ts';

describe('with a Redis user limited to some channels', () => {
	let redis: RedisServer;
	let provider: RedisWsProvider;
	let node: LocalNode;
	const errors: string[] = [];

	beforeAll(async () => {
		redis = await startRedis();
		const channels = ['resetchannels', '&orijs:\\**', '&orijs:!*', '&orijs:@*', '&orijs:open*', '&orijs:other'];
		await redis.command('ACL', 'SETUSER', 'limited', 'on', '>pw', '+@all', '~*', ...channels);
		provider = new RedisWsProvider({
			connection: { port: redis.port, username: 'limited', password: 'pw' },
			logger: { debug() {}, info() {}, warn() {}, error: (message) => errors.push(message) },
		});
		node = serveLocally(provider);
		await provider.start();
	});
	afterAll(async () => {
		await node?.stop();
		await redis.stop();
	});

	const statusBecomes = (expected: ProviderStatus): Promise<void> =>
		new Promise((resolve) => {
			const off = provider.onStatus((status) => {
				if (status !== expected) return;
				off();
				resolve();
			});
		});

	it('subscribe() rejects and rolls back a forbidden topic; topics requested with it are subscribed', async () => {
		const { id, client } = await node.connectPlain([]);
		const open = provider.subscribe(id, 'open:1');
		const closed = provider.subscribe(id, 'closed:1');
		await expect(closed).rejects.toMatchObject({ name: 'SubscribeError', topic: 'closed:1' });
		await expect(closed).rejects.toThrow(/NOPERM/);
		await open;
		expect(provider.getTopicSubscriberCount('closed:1')).toBe(0);
		expect(errors).toEqual([expect.stringContaining('closed:1')]);

		await provider.publish('open:1', 'hello').catch(() => {});
		expect(await client.next()).toBe('hello');
		expect(await redis.command('PUBSUB', 'NUMSUB', 'orijs:open:1', 'orijs:closed:1')).toEqual([
			'orijs:open:1',
			1,
			'orijs:closed:1',
			0,
		]);
		await client.close();
	});

	it('subscribe() during an outage rejects a forbidden topic after it; all others are subscribed', async () => {
		const { id, client } = await node.connect(['open:3']);
		const degraded = statusBecomes('degraded');
		await redis.command('CLIENT', 'KILL', 'USER', 'limited');
		await degraded;
		const [closed, open] = [provider.subscribe(id, 'closed:3'), provider.subscribe(id, 'open:4')];
		await expect(closed).rejects.toMatchObject({ name: 'SubscribeError', topic: 'closed:3' });
		await open;
		const channels = ['orijs:*', 'orijs:open:3', 'orijs:open:4', 'orijs:closed:3'];
		expect(await redis.command('PUBSUB', 'NUMSUB', ...channels)).toEqual(
			channels.flatMap((name, i) => [name, i < 3 ? 1 : 0]),
		);
		expect(provider.getTopicSubscriberCount('closed:3')).toBe(0);
		await client.close();
	});

	it('reports gaps in a topic that became forbidden, until it is allowed again', async () => {
		const { client } = await node.connect(['open:5', 'other']);
		const gaps: Gap[] = [];
		const off = provider.onGap((gap) => void (gap.topic === 'open:5' && gaps.push(gap)));
		await redis.command(
			'ACL',
			'SETUSER',
			'limited',
			'resetchannels',
			'&orijs:\\**',
			'&orijs:!*',
			'&orijs:@*',
			'&orijs:other',
		);
		errors.length = 0;
		const ready = statusBecomes('ready');
		const cutAt = Date.now();
		await redis.command('CLIENT', 'KILL', 'USER', 'limited');
		await ready;
		expect(errors.join()).toMatch(/"open:5" could not be resubscribed.*NOPERM/);
		await until(() => gaps.length >= 2, { what: 'two gaps are reported', timeoutMs: 15_000 });
		expect(provider.getTopicSubscriberCount('open:5')).toBe(1);
		await provider.publish('open:5', 'local').catch(() => {});
		expect(await client.next()).toBe('local');

		await redis.command('ACL', 'SETUSER', 'limited', '&orijs:open*');
		const refused = gaps.length;
		const isSubscribed = async (): Promise<boolean> =>
			((await redis.command('PUBSUB', 'NUMSUB', 'orijs:open:5')) as unknown[])[1] === 1;
		await until(isSubscribed, { what: 'the topic is resubscribed', timeoutMs: 20_000 });
		const subscribedAt = Date.now();
		await until(() => (gaps.at(-1)?.until ?? 0) >= subscribedAt - 1_000 && gaps.length > refused, {
			what: 'the rest is reported as a gap',
			timeoutMs: 5_000,
		});
		expect(gaps[0]?.since).toBeLessThanOrEqual(cutAt);
		for (const [at, gap] of gaps.slice(1).entries()) expect(gap.since).toBeLessThanOrEqual(gaps[at]?.until ?? 0);
		off();
		await client.close();
	});

	it('publish() rejects when Redis refuses, after delivering to local sockets', async () => {
		const { client } = await node.connect(['open:2']);
		await redis.command('ACL', 'SETUSER', 'limited', '-publish');
		await expect(provider.publish('open:2', 'local only')).rejects.toMatchObject({
			name: 'BusUnavailableError',
			topic: 'open:2',
			message: expect.stringContaining("this node's sockets received it"),
		});
		expect(await client.next()).toBe('local only');
		await client.close();
	});

	it('does not start when the channels that every node needs are forbidden', async () => {
		await redis.command('ACL', 'SETUSER', 'outsider', 'on', '>pw', '+@all', '~*', 'resetchannels');
		const outsider = new RedisWsProvider({
			connection: { port: redis.port, username: 'outsider', password: 'pw' },
			logger: silentLogger,
		});
		await expect(outsider.start()).rejects.toThrow(/NOPERM/);
		await outsider.stop();
	});
});
