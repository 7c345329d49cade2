import { startRedis, startRedisCluster, until } from '@orijs/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RedisConnection } from '../index.ts';
import { startNode, type TestNode } from '../test-support/test-nodes.ts';

const ROOM = 'room:a';

/** A node, and what its listener makes of the changes. */
interface Watching extends TestNode {
	readonly members: Set<string>;
	/** All that have joined or left, in order. */
	readonly log: string[];
}

async function watch(connection: RedisConnection): Promise<Watching> {
	const node = await startNode({ connection, presence: { 'room:*': {} } });
	const watching: Watching = { ...node, members: new Set(), log: [] };
	node.provider.presence.onChange(ROOM, ({ joined, left }) => {
		for (const { key } of joined) {
			watching.members.add(key);
			watching.log.push(`+ ${key}`);
		}
		for (const { key } of left) {
			watching.members.delete(key);
			watching.log.push(`- ${key}`);
		}
	});
	await node.provider.presence.members(ROOM);
	return watching;
}

interface Backend {
	readonly connection: RedisConnection;
	readonly flush: () => Promise<unknown>;
}

const backends: [string, () => Promise<Backend>][] = [
	[
		'one server',
		async () => {
			const redis = await startRedis();
			onTestFinished(() => redis.stop());
			return { connection: { port: redis.port }, flush: () => redis.command('FLUSHALL') };
		},
	],
	[
		'a Cluster',
		async () => {
			const cluster = await startRedisCluster();
			onTestFinished(() => cluster.stop());
			const connection = { cluster: cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })) };
			const flush = async (): Promise<unknown> =>
				Promise.all((await cluster.primaries()).map((primary) => primary.command('FLUSHALL')));
			return { connection, flush };
		},
	],
];

describe.each(backends)('who is in a topic, on %s', (_, start) => {
	it('is known on all nodes, and no one leaves when Redis loses its data', async () => {
		const { connection, flush } = await start();
		const nodes = [await watch(connection), await watch(connection), await watch(connection)];
		const see = (keys: readonly string[]): Promise<void> =>
			until(() => nodes.every(({ members }) => Bun.deepEquals(members, new Set(keys))), {
				what: () => `all see ${keys.length} members: ${JSON.stringify(nodes.map(({ log }) => log))}`,
				timeoutMs: 15_000,
			});
		const clients = await Promise.all(nodes.map(({ node }) => node.connect([ROOM])));
		const keys = clients.map(({ id }) => `socket:${id}`);
		await see(keys);
		await clients[0]?.client.close();
		await see(keys.slice(1));

		await flush();
		const late = await nodes[0]?.node.connect([ROOM]);
		await see([...keys.slice(1), `socket:${late?.id}`]);
		const reader = await startNode({ connection, presence: { 'room:*': {} } });
		await until(async () => (await reader.provider.presence.count(ROOM)) === 3, {
			what: 'all are stored again',
			timeoutMs: 15_000,
		});
		await late?.client.close();
		await see(keys.slice(1));
		for (const { log } of nodes) expect(log).toHaveLength(6);
	}, 60_000);
});
