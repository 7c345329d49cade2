import { type RedisServer, startRedis, startRedisSentinel, until } from '@orijs/testkit';
import type { DigestEntry } from '@orijs/websocket/internal';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SingleConnection } from '../server/client-options.ts';
import { RedisBus } from '../redis-bus.ts';
import { type BeatBus, startBeatBus } from '../test-support/beat-bus.ts';
import { startNode } from '../test-support/test-nodes.ts';

/** Starts a bus that beats regularly, as a provider does. */
async function startBeating(connection: SingleConnection): Promise<BeatBus> {
	const node = await startBeatBus(new RedisBus({ connection, keyPrefix: 'orijs', connectTimeout: 10_000 }));
	let number = 1;
	const timer = setInterval(() => {
		node.beat(number, { digestEveryMs: 1_000 }).then(
			() => number++,
			() => {},
		);
	}, 500);
	onTestFinished(() => clearInterval(timer));
	return node;
}

async function infoCalls(redis: RedisServer): Promise<number> {
	const { cmdstat_info: text = '' } = await redis.info('commandstats');
	return Number(/calls=(\d+)/.exec(text)?.[1] ?? 0);
}

describe('while Redis answers beats', () => {
	it.each([1, 32])('INFO is asked once a second for 10 providers, with collectBeatsAbove: %i', async (above) => {
		const redis = await startRedis();
		onTestFinished(() => redis.stop());
		const connection = { port: redis.port };
		const nodes = await Promise.all(
			Array.from({ length: 10 }, () => startNode({ connection, collectBeatsAbove: above })),
		);
		const observer = await startBeating(connection);
		const areKnown = (): boolean => nodes.every(({ provider }) => provider.cluster.nodes().length === nodes.length);
		await until(areKnown, { what: 'all nodes know each other', timeoutMs: 10_000 });
		const before = await infoCalls(redis);
		const beats = observer.frames.length;
		const own = (): number => observer.frames.filter(({ text }) => /^\d+$/.test(text)).length;
		const start = own();
		await until(() => own() >= start + 8, { what: 'four seconds pass' });
		// One of these calls is the one that counted before.
		expect((await infoCalls(redis)) - before).toBeLessThanOrEqual(6);
		// Without digests, two beats of each node arrive in a second, which is 80. After the start, digests are frequent.
		const others = observer.frames.length - beats - (own() - start);
		if (above === 1) expect(others).toBeLessThan(25);
		else expect(others).toBeGreaterThan(50);
	});

	it('each node asks by itself again once its beats end', async () => {
		const redis = await startRedis();
		onTestFinished(() => redis.stop());
		const bus = new RedisBus({ connection: { port: redis.port }, keyPrefix: 'orijs', connectTimeout: 10_000 });
		const node = await startBeatBus(bus);
		await node.beat(1);
		const before = await infoCalls(redis);
		// Counting is a call of INFO as well.
		let counts = 0;
		await until(async () => (await infoCalls(redis)) - before - ++counts >= 2, {
			what: 'the node asks',
			timeoutMs: 10_000,
		});
		expect(node.statuses).toEqual([{ state: 'ready' }]);
	});

	it('a server that has become a replica is left within a second', async () => {
		const [redis, other] = await Promise.all([startRedis(), startRedis()]);
		onTestFinished(async () => void (await Promise.all([redis.stop(), other.stop()])));
		const node = await startBeating({ port: redis.port });
		await until(() => node.frames.length > 0, { what: 'it beats' });
		await redis.command('REPLICAOF', other.host, String(other.port));
		await until(() => node.statuses.at(-1)?.state === 'degraded', { what: 'that is noticed', timeoutMs: 1_500 });
		expect(node.statuses.at(-1)).toMatchObject({ reason: expect.stringContaining('connected to a replica') });
		await redis.command('REPLICAOF', 'NO', 'ONE');
		await until(() => node.statuses.at(-1)?.state === 'ready', { what: 'it is ready again' });
	});

	it('a failover by Sentinels is followed, and the new primary collects', async () => {
		const sentinel = await startRedisSentinel();
		onTestFinished(() => sentinel.stop());
		const sentinels = sentinel.sentinels.map(({ host, port }) => ({ host, port }));
		const node = await startBeating({ sentinels, name: sentinel.name });
		await until(() => node.frames.length > 1, { what: 'it beats' });
		await (await sentinel.primary()).kill();
		await until(() => node.statuses.at(-1)?.state === 'degraded', { what: 'the outage is noticed' });
		await until(() => node.statuses.at(-1)?.state === 'ready', { what: 'it is ready again', timeoutMs: 30_000 });
		// The new primary does not know the beats that the earlier one has taken.
		const last = (): DigestEntry | undefined => node.digests.at(-1)?.entries[0];
		await until(() => (last()?.run ?? Infinity) < (last()?.number ?? 0), { what: 'the run has started over' });
		expect(node.bus.liveness?.beats).toBeDefined();
	});
});
