import { type RedisServer, startRedis, startTcpProxy, type TcpProxy, until } from '@orijs/testkit';
import type { Gap } from '@orijs/websocket';
import { afterEach, describe, expect, it } from 'vitest';
import { RedisWsProvider } from '../index.ts';
import { serveLocally } from '../test-support/local-node.ts';
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

async function startProvider({ port }: { readonly port: number }): Promise<RedisWsProvider> {
	const provider = new RedisWsProvider({
		connection: { host: '127.0.0.1', port },
		logger: silentLogger,
		heartbeatMs: 200,
	});
	await provider.start();
	cleanUps.push(() => provider.stop());
	return provider;
}

/** A provider with a subscriber of `t`, which counts the messages that arrive and the gaps that are reported. */
async function startReceiver(server: { readonly port: number }) {
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
		/** The numbers that did not arrive, and those of them that were published in no gap. */
		missing: (has: (text: string) => boolean, gaps: readonly Gap[]) => {
			const missing = sentAt.map((at, number) => ({ at, number })).filter(({ number }) => !has(String(number)));
			const silent = missing.filter(({ at }) => !gaps.some(({ since, until: end }) => since <= at && at <= end));
			return { missing, silent };
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
		proxy.refuse(true);
		proxy.cut();
		await Bun.sleep(500);
		numbers.stop();
		const stopped = publisher.stop();
		await Bun.sleep(500);
		proxy.refuse(false);
		await stopped;
		await until(() => receiver.gaps.length > 0, { what: 'the gap is reported' });

		const { missing, silent } = numbers.missing(receiver.has, receiver.gaps);
		expect(missing.length).toBeGreaterThan(0);
		expect(silent).toEqual([]);
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
			proxy.refuse(true);
			proxy.cut();
			await Bun.sleep(500);
			numbers.stop();
			await publisher.stop();
			expect(receiver.gaps).toEqual([]);
			await until(() => receiver.gaps.length > 0, { what: 'the gap is reported', ...SILENT_FOR });

			const { missing, silent } = numbers.missing(receiver.has, receiver.gaps);
			expect(missing.length).toBeGreaterThan(0);
			expect(silent).toEqual([]);
			expect(receiver.gaps).toHaveLength(1);
		},
	);
});

it('a node that is led to another server and back reports everything it missed', { timeout: 60_000 }, async () => {
	const redis = await redisServer();
	const replica = await redisServer(['--replicaof', `${redis.host} ${redis.port}`]);
	await until(async () => String(await replica.command('INFO', 'replication')).includes('master_link_status:up'), {
		what: 'the replica is connected',
	});
	await replica.command('REPLICAOF', 'NO', 'ONE');
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

	const { missing, silent } = numbers.missing(receiver.has, receiver.gaps);
	expect(missing.length).toBeGreaterThan(300);
	expect(silent).toEqual([]);
});
