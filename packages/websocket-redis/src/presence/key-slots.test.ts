import { type RedisCluster, startRedisCluster, until } from '@orijs/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ClusterBus } from '../cluster/cluster-bus.ts';
import { slotOf } from '../cluster/slot.ts';
import { type PresenceBus, SHORT_LEASE_MS, startPresenceBus } from '../test-support/presence-bus.ts';

const TOPICS = ['chat:1', ':', '.', '-', '_', '::', 'a:members', 'presence', '__proto__', '0', 't'.repeat(256)];
const PREFIXES = ['orijs', 'a.b', '.', '-', 'p'.repeat(128)];
/** Members' keys, some with braces, which must not matter. */
const KEYS = ['user:7', 'socket:{other}', '}{', '{}', 'ключ', '🔑{é}', '\0', ' \r\n', 'x'.repeat(1_100)];

describe('on a Redis Cluster', () => {
	let cluster: RedisCluster;
	beforeAll(async () => {
		cluster = await startRedisCluster({ replicas: 0 });
	});
	afterAll(() => cluster.stop());
	beforeEach(async () => {
		await Promise.all(cluster.nodes.map((node) => node.command('FLUSHALL')));
	});

	const start = (keyPrefix: string, topics?: readonly string[], leaseMs?: number): Promise<PresenceBus> => {
		const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }));
		const bus = new ClusterBus({ nodes, options: {}, keyPrefix, connectTimeout: 10_000 });
		return startPresenceBus(bus, topics, leaseMs);
	};

	it.each(PREFIXES)(
		'a topic has its keys in the slot of its presence channel, with the prefix %s',
		async (keyPrefix) => {
			const a = await start(keyPrefix, TOPICS);
			for (const topic of TOPICS) {
				await a.put(topic, ...KEYS);
				expect(await a.keys(topic)).toEqual(KEYS.toSorted((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y))));
			}
			await a.put('ordered', ...Array.from({ length: 100 }, (_, i) => `k${i}`));
			await a.put('ordered', ...Array.from({ length: 100 }, (_, i) => `l${i}`));
			await until(() => a.changes.length === TOPICS.length, { what: 'all changes arrive' });

			const found: string[] = [];
			for (const node of cluster.nodes) {
				const client = new Redis({ host: node.host, port: node.port });
				for (const key of await client.keys('*')) {
					const tag = /^\{([^}]*)\}:/.exec(key)?.[1] ?? '';
					expect(await client.call('CLUSTER', 'KEYSLOT', key)).toBe(slotOf(tag));
					expect(tag.startsWith(`${keyPrefix}:`)).toBe(true);
					found.push(key.slice(keyPrefix.length + 2));
				}
				client.disconnect();
			}
			const expected = TOPICS.map((topic) => `*${topic}}:members`);
			expected.push('*ordered}:members', '*ordered}:order');
			expected.push('!presence}:leases', '!presence}:order', `!presence}:topics:${a.lease.nodeId}`);
			expect(found.filter((name) => /^(\*|!presence)/.test(name)).toSorted()).toEqual(expected.toSorted());
			for (const name of found.filter((each) => !expected.includes(each))) expect(name).toMatch(/^!\d+\}:presence$/);
		},
	);

	it('changes go on while the slot of a topic moves, and nothing is lost', { timeout: 30_000 }, async () => {
		const a = await start('moving', ['t']);
		const keys = Array.from({ length: 50 }, (_, i) => `user:${i}`);
		await a.put('t', ...keys);
		const before = await a.presence.count('t');
		const outcomes: string[] = [];
		const over = new AbortController();
		let number = 0;
		const changing = (async () => {
			while (!over.signal.aborted) {
				await a.put('t', `new:${number}`).then(
					() => outcomes.push(`accepted ${number++}`),
					(error: Error) => outcomes.push(error.message),
				);
			}
		})();
		await until(() => number > 5, { what: 'changes are accepted' });
		const slot = await cluster.slotOf('moving:*t');
		const from = await cluster.primaryOf(slot);
		const to = (await cluster.primaries()).find(({ id }) => id !== from.id) ?? from;
		await cluster.moveSlot(slot, from, to);
		const moved = number;
		await until(() => number > moved + 5, { what: 'changes are accepted again', timeoutMs: 15_000 });
		over.abort();
		await changing;
		for (const outcome of outcomes) expect(outcome).toMatch(/^accepted|^MOVED|^ASK|^TRYAGAIN|^no primary|^CLUSTERDOWN/);
		const after = await a.presence.count('t');
		expect(after.version?.epoch).toBe(before.version?.epoch);
		expect(after.count).toBe(50 + number);
		expect(await a.keys('t')).toHaveLength(50 + number);
		await cluster.moveSlot(slot, to, from);
	});

	it('leases go on while their slot moves', { timeout: 30_000 }, async () => {
		const [a, b] = [await start('leases', [], SHORT_LEASE_MS), await start('leases', [], SHORT_LEASE_MS)];
		await a.put('t', 'k');
		const slot = await cluster.slotOf('leases:!presence');
		const from = await cluster.primaryOf(slot);
		const to = (await cluster.primaries()).find(({ id }) => id !== from.id) ?? from;
		await cluster.moveSlot(slot, from, to);
		for (const { renew } of [a, b]) {
			const isRenewed = (): Promise<boolean> =>
				renew().then(
					({ isKept }) => isKept,
					() => false,
				);
			await until(isRenewed, { what: 'the lease is renewed', timeoutMs: 15_000 });
		}
		await a.put('u', 'k');
		await b.untilHandedOut(a.lease);
		expect(await b.sweep(a.lease)).toBe(2);
		expect([await b.keys('t'), await b.keys('u')]).toEqual([[], []]);
		await cluster.moveSlot(slot, to, from);
	});
});
