import { RecordingLogger, startRedis, until } from '@orijs/testkit';
import type { Gap } from '@orijs/websocket';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { startNode } from '../test-support/test-nodes.ts';

it('nodes whose beats are no longer collected, and then are again, miss nothing and lose no node', async () => {
	const redis = await startRedis();
	onTestFinished(() => redis.stop());
	const loggers = Array.from({ length: 4 }, () => new RecordingLogger());
	const nodes = await Promise.all(
		loggers.map((logger) => startNode({ connection: { port: redis.port }, collectBeatsAbove: 2, logger })),
	);
	const gaps: Gap[] = [];
	const left: string[] = [];
	for (const { provider, node } of nodes) {
		await node.connect(['t']);
		provider.onGap((gap) => void gaps.push(gap));
	}
	const areKnown = (): boolean => nodes.every(({ provider }) => provider.cluster.nodes().length === nodes.length);
	await until(areKnown, { what: 'all nodes know each other', timeoutMs: 10_000 });
	for (const { provider } of nodes) {
		provider.cluster.onNodesChange((change) => left.push(...change.left.map(({ id }) => id)));
	}

	// What arrives on the shared channel: digests while beats are collected, beats while they are not.
	const types: number[] = [];
	const observer = new Redis({ port: redis.port });
	onTestFinished(() => observer.disconnect());
	observer.on('messageBuffer', (_channel, frame: Buffer) => types.push(frame[1] ?? -1));
	await observer.subscribe('orijs:!');
	const count = (type: number): number => types.filter((each) => each === type).length;
	const [BEAT, DIGEST] = [1, 4];
	await until(() => count(DIGEST) > 0, { what: 'a digest of all nodes arrives', timeoutMs: 10_000 });

	await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
	types.length = 0;
	await until(() => count(BEAT) > 8 * nodes.length, { what: 'plain beats arrive', timeoutMs: 15_000 });
	await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
	types.length = 0;
	await until(() => count(DIGEST) > 1, { what: 'digests arrive again', timeoutMs: 15_000 });

	expect([gaps, left]).toEqual([[], []]);
	expect(areKnown()).toBe(true);
	const client = (await nodes[0]?.node.connect(['t']))?.client;
	await nodes[1]?.provider.publish('t', 'afterwards');
	expect(await client?.next()).toBe('afterwards');
	for (const { errors } of loggers) {
		expect(errors.filter(({ message }) => !message.includes('NOREPLICAS'))).toEqual([]);
		expect(errors).toHaveLength(1);
	}
});
