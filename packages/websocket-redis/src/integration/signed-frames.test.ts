import { startRedis, startRedisCluster, until } from '@orijs/testkit';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RedisWsProvider, RedisWsProviderOptions } from '../index.ts';
import { startNode } from '../test-support/test-nodes.ts';

const SECRET = 'a secret of at least 32 characters';
const NOTHING_SKIPPED = { 'unknown-version': 0, malformed: 0, late: 0, unsigned: 0, forged: 0, replayed: 0 };

async function open(options: RedisWsProviderOptions): Promise<{ provider: RedisWsProvider; received: string[] }> {
	const { provider } = await startNode({ secret: SECRET, ...options });
	const received: string[] = [];
	provider.onNodeMessage((text) => received.push(text));
	return { provider, received };
}

/** Sends messages from one node to the other until one has arrived: the receiver may not be subscribed yet. */
async function untilReached(
	from: RedisWsProvider,
	to: { provider: RedisWsProvider; received: string[] },
): Promise<void> {
	let number = 0;
	await until(
		async () => {
			await from.sendToNode(to.provider.nodeId, `hello ${number++}`);
			return to.received.length > 0;
		},
		{ what: 'a message has arrived' },
	);
}

describe('signed frames over Redis', () => {
	it('are accepted by nodes, and not when an intruder plays them again, here or in another namespace', async () => {
		const redis = await startRedis();
		onTestFinished(() => redis.stop());
		const connection = { port: redis.port };
		const [a, b] = [await open({ connection, keyPrefix: 'app' }), await open({ connection, keyPrefix: 'app' })];
		const [prefix, database] = [
			await open({ connection, keyPrefix: 'other' }),
			await open({ connection: { port: redis.port, db: 1 }, keyPrefix: 'app' }),
		];
		const intruder = new Redis(connection);
		const listener = intruder.duplicate();
		onTestFinished(() => [intruder, listener].forEach((client) => client.disconnect()));
		const recorded: [string, Buffer][] = [];
		listener.on('pmessageBuffer', (_pattern: string, channel: Buffer, frame: Buffer) =>
			recorded.push([channel.toString(), frame]),
		);
		await listener.psubscribe('app:!*');
		await untilReached(a.provider, b);
		await until(() => recorded.some(([channel]) => channel === 'app:!'), { what: 'a beat was recorded' });
		for (const { provider } of [a, b, prefix, database]) expect(provider.getSkippedFrames()).toEqual(NOTHING_SKIPPED);

		const [, beat] = recorded.find(([channel]) => channel === 'app:!') as [string, Buffer];
		const [toB, message] = recorded.find(([channel]) => channel === `app:!${b.provider.nodeId}`) as [string, Buffer];
		for (const channel of ['app:!', 'other:!', 'app:#1:!']) await intruder.publish(channel, beat);
		await intruder.publish(toB, message);
		await until(() => b.provider.getSkippedFrames().replayed >= 2, { what: 'both were skipped' });
		for (const { provider } of [prefix, database])
			await until(() => provider.getSkippedFrames().forged > 0, { what: 'the beat was skipped' });

		// Others of the messages may have arrived meanwhile, but none twice.
		expect(b.received).toEqual([...new Set(b.received)]);
		expect(b.provider.getSkippedFrames()).toEqual({ ...NOTHING_SKIPPED, replayed: 2 });
		for (const { provider } of [prefix, database])
			expect(provider.getSkippedFrames()).toEqual({ ...NOTHING_SKIPPED, forged: 1 });
	});

	it('are accepted where Redis collects the beats and hands them on in digests', async () => {
		const redis = await startRedis();
		onTestFinished(() => redis.stop());
		const shared = { connection: { port: redis.port }, collectBeatsAbove: 1, heartbeatMs: 100 };
		const nodes = [await open(shared), await open(shared), await open(shared)];
		const listener = new Redis({ port: redis.port });
		onTestFinished(() => listener.disconnect());
		const types = new Map<string, Set<number | undefined>>();
		listener.on('pmessageBuffer', (_pattern: string, channel: Buffer, frame: Buffer) => {
			const name = channel.toString();
			types.set(name, (types.get(name) ?? new Set()).add(frame[1]));
		});
		await listener.psubscribe('orijs:!*');
		const [DIGEST, SIGNED_BEAT] = [4, 0x81];
		await until(() => types.get('orijs:!')?.has(DIGEST) === true, { what: 'a digest', timeoutMs: 10_000 });
		await until(() => [...types].some(([channel, each]) => channel !== 'orijs:!' && each.has(SIGNED_BEAT)), {
			what: 'a beat on a channel of its own',
		});
		for (const { provider } of nodes) {
			await until(() => provider.cluster.nodes().length === 3, { what: 'all nodes are known' });
			expect(provider.getSkippedFrames()).toEqual(NOTHING_SKIPPED);
			expect(provider.status).toBe('ready');
		}
	});

	it('are accepted over the shards of a cluster', async () => {
		const cluster = await startRedisCluster({ replicas: 0 });
		onTestFinished(() => cluster.stop());
		const connection = { cluster: cluster.nodes };
		const [a, b] = [await open({ connection }), await open({ connection })];
		await untilReached(a.provider, b);
		await until(() => b.provider.watermark().lagMs < 1_000, { what: 'beats arrive on all shards' });

		for (const { provider } of [a, b]) expect(provider.getSkippedFrames()).toEqual(NOTHING_SKIPPED);
	});
});
