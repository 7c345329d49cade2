import { hasSent, type RedisServer, startRedis, startTcpProxy, type TcpProxy, until } from '@orijs/testkit';
import type { Gap } from '@orijs/websocket';
import { afterEach, describe, expect, it } from 'vitest';
import { RedisWsProvider } from '../index.ts';
import { type LocalNode, serveLocally } from '../test-support/local-node.ts';
import { silentLogger } from '../test-support/silent-logger.ts';

/** A node that falls silent is reported after 10 s, and the report is held for 1.25 s. */
const SILENT_FOR = { timeoutMs: 20_000 };

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
	for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function redisServer(args: readonly string[] = []): Promise<RedisServer> {
	const redis = await startRedis({ args });
	cleanUps.push(() => redis.stop());
	return redis;
}

async function proxyTo({ port }: RedisServer): Promise<TcpProxy> {
	const proxy = await startTcpProxy({ port });
	cleanUps.push(() => proxy.stop());
	return proxy;
}

/** Cuts a node off from its server, for long enough that it has something to report. */
async function cutOff(proxy: TcpProxy): Promise<void> {
	proxy.refuse(true);
	proxy.cut();
	await Bun.sleep(500);
}

async function startProvider({ port }: { readonly port: number }): Promise<RedisWsProvider> {
	const provider = new RedisWsProvider({
		connection: { host: '127.0.0.1', port },
		history: { 'chat:*': { size: 10_000, ttlMs: 60_000 } },
		logger: silentLogger,
		heartbeatMs: 200,
	});
	await provider.start();
	cleanUps.push(() => provider.stop());
	return provider;
}

interface Receiver {
	readonly provider: RedisWsProvider;
	readonly gaps: readonly Gap[];
	/** Whether a text has arrived. */
	has(text: string): boolean;
}

/** A provider with a subscriber of `t`, which counts the messages that arrive and the gaps that are reported. */
async function startReceiver(server: { readonly port: number }): Promise<Receiver> {
	const provider = await startProvider(server);
	const node = serveLocally(provider);
	cleanUps.push(() => node.stop());
	const { client } = await node.connect(['t']);
	const gaps: Gap[] = [];
	provider.onGap((gap) => void (gap.topic === 't' && gaps.push(gap)));
	const has = (text: string): boolean => client.messages.includes(text);
	return { provider, gaps, has };
}

/** Publishes a numbered message every 5 ms until it is stopped. */
function publishNumbers(provider: RedisWsProvider) {
	const sentAt: number[] = [];
	const timer = setInterval(() => {
		provider.publish('t', String(sentAt.length)).catch(() => {});
		sentAt.push(Date.now());
	}, 5);
	cleanUps.push(() => clearInterval(timer));
	return {
		sentAt,
		stop: () => clearInterval(timer),
		/** Resolves when everything that is published from now on arrives. */
		arriving: (has: (text: string) => boolean) => {
			const from = sentAt.length;
			return until(() => sentAt.some((_, number) => number >= from && has(String(number))), {
				what: 'messages arrive',
			});
		},
		/** Expects more than `least` numbers to be missing, all of them published in a gap. */
		expectReported: ({ has, gaps }: Pick<Receiver, 'has' | 'gaps'>, { least = 0 } = {}) => {
			const missing = sentAt.map((at, number) => ({ at, number })).filter(({ number }) => !has(String(number)));
			const silent = missing.filter(({ at }) => !gaps.some(({ since, until: end }) => since <= at && at <= end));
			expect(missing.length).toBeGreaterThan(least);
			expect(silent).toEqual([]);
		},
	};
}

describe('a node that can’t reach Redis and stops', () => {
	it('waits, and says what it could not publish once Redis is back', async () => {
		const redis = await redisServer();
		const proxy = await proxyTo(redis);
		const receiver = await startReceiver(redis);
		const publisher = await startProvider(proxy);
		const numbers = publishNumbers(publisher);
		await numbers.arriving(receiver.has);
		await cutOff(proxy);
		numbers.stop();
		const stopped = publisher.stop();
		await Bun.sleep(500);
		proxy.refuse(false);
		await stopped;
		await until(() => receiver.gaps.length > 0, { what: 'the gap is reported' });

		numbers.expectReported(receiver);
	});

	it('reports what it could not receive', async () => {
		const redis = await redisServer();
		const proxy = await proxyTo(redis);
		const receiver = await startReceiver(proxy);
		const numbers = publishNumbers(await startProvider(redis));
		await numbers.arriving(receiver.has);
		await cutOff(proxy);
		numbers.stop();
		await receiver.provider.stop();

		numbers.expectReported(receiver);
	});

	it(
		'is reported once by the others after ten seconds, unlike one that said that it stops',
		{ timeout: 60_000 },
		async () => {
			const redis = await redisServer();
			const proxy = await proxyTo(redis);
			const receiver = await startReceiver(redis);
			const orderly = await startProvider(redis);
			await publishNumbers(orderly).arriving(receiver.has);
			await orderly.stop();
			const publisher = await startProvider(proxy);
			const numbers = publishNumbers(publisher);
			await numbers.arriving(receiver.has);
			await cutOff(proxy);
			numbers.stop();
			await publisher.stop();
			expect(receiver.gaps).toEqual([]);
			await until(() => receiver.gaps.length > 0, { what: 'the gap is reported', ...SILENT_FOR });

			numbers.expectReported(receiver);
			expect(receiver.gaps).toHaveLength(1);
		},
	);
});

/** A server and a former replica of it, which no longer follows it. */
async function serverAndDetachedReplica(args: readonly string[] = []): Promise<readonly [RedisServer, RedisServer]> {
	const redis = await redisServer(args);
	const replica = await redisServer(['--replicaof', `${redis.host} ${redis.port}`]);
	await until(async () => String(await replica.command('INFO', 'replication')).includes('master_link_status:up'), {
		what: 'the replica is connected',
	});
	await replica.command('REPLICAOF', 'NO', 'ONE');
	// A server that has just started is taken for the old one, restarted.
	const hasRun = async ({ command }: RedisServer): Promise<boolean> =>
		Number(/uptime_in_seconds:(\d+)/.exec(String(await command('INFO', 'server')))?.[1]) >= 3;
	await until(async () => (await hasRun(redis)) && (await hasRun(replica)), { what: 'both have run for a while' });
	return [redis, replica];
}

describe('a node that is led to another server and back to its own', () => {
	it('reports everything it missed', { timeout: 60_000 }, async () => {
		const [redis, replica] = await serverAndDetachedReplica();
		const proxy = await proxyTo(redis);
		const receiver = await startReceiver(proxy);
		const numbers = publishNumbers(await startProvider(redis));
		await numbers.arriving(receiver.has);

		proxy.retarget({ port: replica.port });
		proxy.cut();
		await until(() => receiver.gaps.length > 0, { what: 'the first interruption is reported' });
		// Long enough for the publisher to count as silent.
		await Bun.sleep(3_000);
		proxy.retarget({ port: redis.port });
		proxy.cut();
		await numbers.arriving(receiver.has);
		numbers.stop();
		const told = receiver.gaps.length;
		await until(() => receiver.gaps.length > told, { what: 'the second interruption is reported' });

		numbers.expectReported(receiver, { least: 300 });
	});

	it('with one of its connections only, gets both to the same server', { timeout: 60_000 }, async () => {
		const [redis, replica] = await serverAndDetachedReplica();
		const proxy = await proxyTo(redis);
		const publisher = await startReceiver(proxy);
		const receiver = await startReceiver(redis);
		const numbers = publishNumbers(publisher.provider);
		await numbers.arriving(receiver.has);

		proxy.retarget({ port: replica.port });
		proxy.cut((link) => !hasSent('SUBSCRIBE')(link));
		await until(() => publisher.gaps.length > 0, { what: 'the interruption is noticed', timeoutMs: 10_000 });
		proxy.retarget({ port: redis.port });
		proxy.cut(hasSent('SUBSCRIBE'));
		await numbers.arriving(receiver.has);
		numbers.stop();
		await until(() => receiver.gaps.length > 0, { what: 'the gap is reported', timeoutMs: 10_000 });
		await Bun.sleep(2_000);

		numbers.expectReported(receiver, { least: 100 });
	});

	it.each([
		['which has run on', async () => {}],
		[
			// Nothing in its `INFO` tells that the node has not been there all along.
			'which has just been restarted',
			async (redis: RedisServer) => {
				await redis.kill();
				await redis.restart();
			},
		],
	])('%s, reports what it published elsewhere to a topic with history', { timeout: 60_000 }, async (_, meanwhile) => {
		const [redis, replica] = await serverAndDetachedReplica(['--appendonly', 'yes', '--appendfsync', 'always']);
		const proxy = await proxyTo(redis);
		const receiver = await startProvider(redis);
		const node = serveLocally(receiver);
		cleanUps.push(() => node.stop());
		await node.connect(['chat:1', 'chat:2']);
		const publisher = await startProvider(proxy);
		const publisherNode = serveLocally(publisher);
		cleanUps.push(() => publisherNode.stop());
		await publisher.publish('chat:1', 'before');
		const { epoch, offset } = await receiver.history('chat:1');
		const gaps: Gap[] = [];
		receiver.onGap((gap) => gaps.push(gap));

		proxy.retarget({ port: replica.port });
		proxy.cut();
		await until(() => publisher.status === 'degraded', { what: 'the cut is noticed' });
		await until(() => publisher.status === 'ready', { what: 'the other server is reached' });
		const lostAt = Date.now();
		await publisher.publish('chat:1', 'elsewhere');
		// A primary is verified every second, although the others are elsewhere.
		await Bun.sleep(2_500);
		await meanwhile(redis);
		proxy.retarget({ port: redis.port });
		proxy.cut();
		await until(() => gaps.some(({ topic }) => topic === 'chat:1'), { what: 'the loss is reported' });

		const covering = gaps.filter(({ since, until: end }) => since <= lostAt && lostAt <= end);
		expect(covering.map(({ topic }) => topic)).toEqual(['*', 'chat:1']);
		// A client that was away meanwhile gets everything that is stored, and the gap.
		const started = await startProvider(redis);
		const startedNode = serveLocally(started);
		cleanUps.push(() => startedNode.stop());
		const resume = async (provider: RedisWsProvider, { connect }: LocalNode) => {
			const { id } = await connect();
			return provider.resume(id, 'chat:1', { since: { epoch, offset } });
		};
		// One that starts later learns of it from the node that was misled.
		await until(async () => (await resume(started, startedNode))?.gap !== undefined, { what: 'the new node knows' });
		for (const [provider, { connect }] of [
			[receiver, node],
			[publisher, publisherNode],
			[started, startedNode],
		] as const) {
			const away = await connect();
			const recovery = await provider.resume(away.id, 'chat:1', { since: { epoch, offset } });
			expect(recovery).toMatchObject({ recovered: true, count: 0 });
			expect(recovery?.gap?.since).toBeLessThanOrEqual(lostAt);
			expect(recovery?.gap?.until).toBeGreaterThanOrEqual(lostAt);
		}
	});
});

describe('a server that is restarted', () => {
	const KEEPS_ALL = ['--appendonly', 'yes', '--appendfsync', 'always'];

	async function publisherAndGaps(server: { readonly port: number }, redis: RedisServer) {
		const publisher = await startProvider(server);
		const receiver = await startProvider(redis);
		const gaps: Gap[] = [];
		receiver.onGap((gap) => gaps.push(gap));
		const node = serveLocally(receiver);
		cleanUps.push(() => node.stop());
		await node.connect(['chat:1', 't']);
		return { publisher, gaps };
	}

	it('is no gap on a topic with history, if it has everything that was stored', async () => {
		const redis = await redisServer(KEEPS_ALL);
		const { publisher, gaps } = await publisherAndGaps(redis, redis);
		for (let i = 0; i < 100; i++) await publisher.publish('chat:1', String(i));
		await redis.kill();
		await redis.restart();
		await until(() => gaps.some(({ topic }) => topic === 't'), { what: 'the interruption is reported' });
		expect(gaps.filter(({ topic }) => topic === 'chat:1')).toEqual([]);
		const { messages } = await publisher.history('chat:1', { limit: 200 });
		expect(messages).toHaveLength(100);
	});

	it('is a gap if a node stored messages elsewhere meanwhile, even if it was there only for a moment', async () => {
		const redis = await redisServer(KEEPS_ALL);
		const other = await redisServer();
		const proxy = await proxyTo(redis);
		const { publisher, gaps } = await publisherAndGaps(proxy, redis);
		await publisher.publish('chat:1', 'before');

		await redis.kill();
		proxy.retarget({ port: other.port });
		await until(() => publisher.status === 'degraded', { what: 'the loss of the server is noticed' });
		await until(() => publisher.status === 'ready', { what: 'the other server is reached' });
		await publisher.publish('chat:1', 'elsewhere');
		const lostAt = Date.now();
		proxy.retarget({ port: redis.port });
		proxy.cut();
		await redis.restart();
		const isTold = ({ topic, since, until: end }: Gap): boolean =>
			topic === 'chat:1' && since <= lostAt && lostAt <= end;
		await until(() => gaps.some(isTold), { what: 'the loss is reported' });
	});
});

describe('a node that is led to another server and stops there', () => {
	it('is reported as silent, also by a node that has started since', { timeout: 60_000 }, async () => {
		const [redis, replica] = await serverAndDetachedReplica();
		const proxy = await proxyTo(redis);
		const witness = await startReceiver(redis);
		const publisher = await startProvider(proxy);
		const numbers = publishNumbers(publisher);
		await numbers.arriving(witness.has);

		proxy.retarget({ port: replica.port });
		proxy.cut();
		await until(() => publisher.status === 'degraded', { what: 'the cut is noticed' });
		await until(() => publisher.status === 'ready', { what: 'the other server is reached' });
		const started = await startReceiver(redis);
		const subscribedAt = numbers.sentAt.length;
		const more = numbers.sentAt.length + 20;
		await until(() => numbers.sentAt.length >= more, { what: 'messages are published on the other server' });
		numbers.stop();
		await publisher.stop();
		await until(() => started.gaps.length > 0, { what: 'the node that has started reports a gap', ...SILENT_FOR });

		const missed = numbers.sentAt.slice(subscribedAt);
		const uncovered = missed.filter((at) => !started.gaps.some(({ since, until: end }) => since <= at && at <= end));
		expect(uncovered).toEqual([]);
		expect(started.gaps).toHaveLength(1);
		await until(() => witness.gaps.length > 0, { what: 'the node that was there reports a gap', ...SILENT_FOR });
		numbers.expectReported(witness, { least: 20 });
	});
});
