import { type RedisServer, startRedis, startRedisCluster, startRedisSentinel, until } from '@orijs/testkit';
import { PresenceLeaseLostError } from '@orijs/websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ClusterBus } from '../cluster/cluster-bus.ts';
import { RedisBus } from '../redis-bus.ts';
import type { SingleConnection } from '../server/client-options.ts';
import { type PresenceBus, SHORT_LEASE_MS, startPresenceBus } from '../test-support/presence-bus.ts';

const start = (connection: SingleConnection, leaseMs?: number): Promise<PresenceBus> =>
	startPresenceBus(new RedisBus({ connection, keyPrefix: 'orijs', connectTimeout: 10_000 }), ['t'], leaseMs);

async function redisWith(...args: readonly string[]): Promise<RedisServer> {
	const redis = await startRedis({ args });
	onTestFinished(() => redis.stop());
	return redis;
}

describe('a Redis', () => {
	it('that was flushed does not know the lease, and begins another epoch', async () => {
		const redis = await redisWith();
		const a = await start({ port: redis.port });
		const before = await a.put('t', 'k');
		await redis.command('FLUSHALL');
		expect((await a.renew()).isKept).toBe(false);
		await expect(a.put('t', 'k')).rejects.toBeInstanceOf(PresenceLeaseLostError);
		await expect(a.put('u', 'k')).rejects.toBeInstanceOf(PresenceLeaseLostError);
		await a.begin();
		const after = await a.put('t', 'k');
		expect(after).toMatchObject({ version: { n: 1 }, count: 1 });
		expect(after.version?.epoch).not.toBe(before.version?.epoch);
	});

	it('that has lost one topic tells the node, whose next change is applied nevertheless', async () => {
		const redis = await redisWith();
		const a = await start({ port: redis.port });
		await a.put('t', 'k', 'l');
		await a.put('u', 'k');
		await redis.command('DEL', '{orijs:*t}:members');
		expect(await a.remove('t', 'k')).toMatchObject({ count: 0 });
		expect(a.losses.map((isAffected) => [isAffected('t'), isAffected('u')])).toEqual([[true, false]]);
		expect((await a.put('t', 'l')).count).toBe(1);
		expect(a.losses).toHaveLength(1);
	});

	it('that was restarted with its data tells the node that some may be missing, and the lease holds', async () => {
		const redis = await redisWith('--appendonly', 'yes', '--appendfsync', 'always');
		const a = await start({ port: redis.port });
		const before = await a.put('t', 'k');
		await redis.kill();
		await until(() => a.statuses.at(-1)?.state === 'degraded', { what: 'the outage is noticed' });
		await redis.restart();
		await a.untilReady();
		expect(a.losses.some((isAffected) => isAffected('t'))).toBe(true);
		expect((await a.renew()).isKept).toBe(true);
		expect(await a.put('t', 'k')).toEqual(before);
		expect((await a.put('t', 'l')).count).toBe(2);
	});

	it('whose connection was only cut tells of no loss', async () => {
		const redis = await redisWith();
		const a = await start({ port: redis.port });
		await a.put('t', 'k');
		await redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
		await until(() => a.statuses.some(({ state }) => state === 'degraded'), { what: 'that is noticed' });
		await a.untilReady();
		expect((await a.put('t', 'l')).count).toBe(2);
		expect(a.losses).toEqual([]);
	});

	it('that loses its scripts is sent them again', async () => {
		const redis = await redisWith();
		const [a, b] = [
			await start({ port: redis.port }, SHORT_LEASE_MS),
			await start({ port: redis.port }, SHORT_LEASE_MS),
		];
		for (let i = 0; i < 5; i++) {
			await redis.command('SCRIPT', 'FLUSH', 'SYNC');
			await a.put('t', `k${i}`);
			await redis.command('SCRIPT', 'FLUSH', 'SYNC');
			expect((await b.keys('t')).length).toBe(i + 1);
			await redis.command('SCRIPT', 'FLUSH', 'SYNC');
			expect((await b.renew()).isKept).toBe(true);
		}
		await b.untilHandedOut(a.lease);
		await redis.command('SCRIPT', 'FLUSH', 'SYNC');
		expect(await b.sweep(a.lease)).toBe(5);
	});
});

it('a failover by Sentinels is told as a loss, and what is put again is there', { timeout: 60_000 }, async () => {
	const sentinel = await startRedisSentinel();
	onTestFinished(() => sentinel.stop());
	const sentinels = sentinel.sentinels.map(({ host, port }) => ({ host, port }));
	const a = await start({ sentinels, name: sentinel.name });
	await a.put('t', 'k');
	await (await sentinel.primary()).kill();
	await until(() => a.statuses.at(-1)?.state === 'degraded', { what: 'the outage is noticed' });
	await a.untilReady();
	expect(a.losses.some((isAffected) => isAffected('t'))).toBe(true);
	if (!(await a.renew()).isKept) await a.begin();
	await a.put('t', 'k', 'l');
	expect(await a.keys('t')).toEqual(['k', 'l']);
});

describe('on a Redis Cluster', () => {
	async function startOn(replicas: number, leaseMs?: number) {
		const cluster = await startRedisCluster({ replicas });
		onTestFinished(() => cluster.stop());
		const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }));
		const startNode = (): Promise<PresenceBus> => {
			const bus = new ClusterBus({ nodes, options: {}, keyPrefix: 'orijs', connectTimeout: 10_000 });
			return startPresenceBus(bus, [], leaseMs);
		};
		const leases = await cluster.primaryOf('orijs:!presence');
		const topicOn = async (isOnLeases: boolean): Promise<string> => {
			for (let i = 0; ; i++) {
				const { port } = await cluster.primaryOf(`orijs:*t${i}`);
				if ((port === leases.port) === isOnLeases) return `t${i}`;
			}
		};
		return { cluster, startNode, leases, topicOn };
	}

	it('a shard that was flushed is noticed with the next renewals, for its topics', async () => {
		const { cluster, startNode, topicOn } = await startOn(0);
		const a = await startNode();
		const [here, there] = [await topicOn(true), await topicOn(false)];
		await a.put(here, 'k');
		await a.put(there, 'k');
		const renewed = await a.renew();
		expect(renewed.isKept).toBe(true);
		await (await cluster.primaryOf(`orijs:*${there}`)).command('FLUSHALL');
		await until(async () => (await a.renew()).isKept && a.losses.length > 0, { what: 'the loss is told' });
		expect(a.losses.map((isAffected) => [isAffected(here), isAffected(there)])).toEqual([[false, true]]);
		expect((await a.put(there, 'k')).count).toBe(1);
		expect(await a.keys(here)).toEqual(['k']);
	});

	it(
		'a lease that was lost while its node was gone is found by what it has left, and swept',
		{ timeout: 30_000 },
		async () => {
			const { startNode, leases, topicOn } = await startOn(0, SHORT_LEASE_MS);
			const [a, b] = [await startNode(), await startNode()];
			const there = await topicOn(false);
			await a.put(there, 'ghost');
			await b.put(there, 'k');
			await leases.command('FLUSHALL');
			const gone = a.lease;
			// The node is gone. The other one takes a new lease, and puts its members again.
			expect((await b.renew()).isKept).toBe(false);
			await b.begin();
			await b.put(there, 'k');
			expect(await b.keys(there)).toEqual(['ghost', 'k']);
			await until(async () => (await b.renew()).expired.some(({ nodeId }) => nodeId === gone.nodeId), {
				what: 'the lease is handed out',
				timeoutMs: 15_000,
			});
			expect(await b.sweep(gone)).toBe(1);
			expect(await b.keys(there)).toEqual(['k']);
		},
	);

	it('a lease that was lost while its node is there is not taken for a ghost', async () => {
		const { startNode, leases, topicOn } = await startOn(0, SHORT_LEASE_MS);
		const [a, b] = [await startNode(), await startNode()];
		const there = await topicOn(false);
		await a.put(there, 'stays');
		await b.put(there, 'k');
		await leases.command('FLUSHALL');
		await b.begin();
		await b.put(there, 'k');
		const lost = a.lease;
		// What the other node has found out does not make the lease hold.
		expect((await a.renew()).isKept).toBe(false);
		await a.begin();
		await a.put(there, 'stays');
		expect((await a.renew()).isKept).toBe(true);
		await b.keys(there);
		expect(await b.sweep(lost)).toBe(0);
		expect(await b.keys(there)).toEqual(['k', 'stays']);
	});

	it('a replica that takes over is told as a loss, for its topics', { timeout: 60_000 }, async () => {
		const { cluster, startNode, topicOn } = await startOn(1);
		const a = await startNode();
		const [here, there] = [await topicOn(true), await topicOn(false)];
		await a.put(here, 'k');
		await a.put(there, 'k');
		const primary = await cluster.primaryOf(`orijs:*${there}`);
		const [replica] = await cluster.replicasOf(primary);
		await primary.kill();
		await cluster.failover(replica as typeof primary, 'force');
		await until(() => a.losses.some((isAffected) => isAffected(there)), {
			what: 'the loss is told',
			timeoutMs: 30_000,
		});
		expect(a.losses.some((isAffected) => isAffected(here))).toBe(false);
		await a.untilReady();
		await a.put(there, 'k', 'l');
		expect(await a.keys(there)).toEqual(['k', 'l']);
	});
});
