import { type RedisServer, startRedis, until } from '@orijs/testkit';
import type { Gap, ProviderStatus } from '@orijs/websocket';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisWsProvider } from '../index.ts';
import { type NodeHere, serveHere } from '../test-support/node-here.ts';

describe('a Redis user who may not subscribe to everything', () => {
	let redis: RedisServer;
	let provider: RedisWsProvider;
	let node: NodeHere;
	const errors: string[] = [];

	beforeAll(async () => {
		redis = await startRedis();
		const channels = ['resetchannels', '&orijs:\\**', '&orijs:!', '&orijs:@*', '&orijs:open*', '&orijs:other'];
		await redis.command('ACL', 'SETUSER', 'limited', 'on', '>pw', '+@all', '~*', ...channels);
		provider = new RedisWsProvider({
			connection: { port: redis.port, username: 'limited', password: 'pw' },
			logger: { debug() {}, info() {}, warn() {}, error: (message) => errors.push(message) },
		});
		node = serveHere(provider);
		await provider.start();
	});
	afterAll(async () => {
		await node?.stop();
		await redis.stop();
	});

	const once = (wanted: ProviderStatus): Promise<void> =>
		new Promise((resolve) => {
			const off = provider.onStatus((status) => {
				if (status !== wanted) return;
				off();
				resolve();
			});
		});

	it('is told which topic was refused; it is rolled back, and those asked for with it go through', async () => {
		const { id, client } = await node.connect();
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

	it('is told so too when it asked while Redis was away, and everything else comes back', async () => {
		const { id, client } = await node.connect(['open:3']);
		const away = once('degraded');
		await redis.command('CLIENT', 'KILL', 'USER', 'limited');
		await away;
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

	it('is told of gaps in a topic that is forbidden by now, until it is allowed again', async () => {
		const { client } = await node.connect(['open:5', 'other']);
		const gaps: Gap[] = [];
		const off = provider.onGap((gap) => void (gap.topic === 'open:5' && gaps.push(gap)));
		await redis.command(
			'ACL',
			'SETUSER',
			'limited',
			'resetchannels',
			'&orijs:\\**',
			'&orijs:!',
			'&orijs:@*',
			'&orijs:other',
		);
		errors.length = 0;
		const back = once('ready');
		const cutAt = Date.now();
		await redis.command('CLIENT', 'KILL', 'USER', 'limited');
		await back;
		expect(errors.join()).toMatch(/"open:5" could not be subscribed again.*NOPERM/);
		await until(() => gaps.length >= 2, { what: 'two gaps were told', timeoutMs: 15_000 });
		expect(provider.getTopicSubscriberCount('open:5')).toBe(1);
		await provider.publish('open:5', 'here').catch(() => {});
		expect(await client.next()).toBe('here');

		await redis.command('ACL', 'SETUSER', 'limited', '&orijs:open*');
		const refused = gaps.length;
		const isBack = async (): Promise<boolean> =>
			((await redis.command('PUBSUB', 'NUMSUB', 'orijs:open:5')) as unknown[])[1] === 1;
		await until(isBack, { what: 'Redis has the topic again', timeoutMs: 20_000 });
		const backAt = Date.now();
		await until(() => (gaps.at(-1)?.until ?? 0) >= backAt - 1_000 && gaps.length > refused, {
			what: 'the rest is told as a gap',
			timeoutMs: 5_000,
		});
		expect(gaps[0]?.since).toBeLessThanOrEqual(cutAt);
		for (const [at, gap] of gaps.slice(1).entries()) expect(gap.since).toBeLessThanOrEqual(gaps[at]?.until ?? 0);
		off();
		await client.close();
	});

	it('gets an error for a publish that Redis refuses, after its own clients had the message', async () => {
		const { client } = await node.connect(['open:2']);
		await redis.command('ACL', 'SETUSER', 'limited', '-publish');
		await expect(provider.publish('open:2', 'here only')).rejects.toMatchObject({
			name: 'BusUnavailableError',
			topic: 'open:2',
			message: expect.stringContaining("this node's sockets got it"),
		});
		expect(await client.next()).toBe('here only');
		await client.close();
	});

	it('does not start when the channels every node needs are forbidden', async () => {
		await redis.command('ACL', 'SETUSER', 'outsider', 'on', '>pw', '+@all', '~*', 'resetchannels');
		const outsider = new RedisWsProvider({
			connection: { port: redis.port, username: 'outsider', password: 'pw' },
			logger: { debug() {}, info() {}, warn() {}, error() {} },
		});
		await expect(outsider.start()).rejects.toThrow(/NOPERM/);
		await outsider.stop();
	});
});
