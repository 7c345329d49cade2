import { existsSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startRedisCluster } from './redis-cluster.ts';
import type { RedisCluster } from './redis-cluster.ts';

let cluster: RedisCluster;

/** Each test gets a new cluster, because nodes remember their last vote and do not vote again for a while. */
beforeEach(async () => {
	cluster = await startRedisCluster();
});

afterEach(() => cluster.stop());

test('starts with three primaries that share the slots, and a replica for each', async () => {
	const primaries = await cluster.primaries();
	expect(primaries).toEqual(cluster.nodes.slice(0, 3));

	for (const [index, primary] of primaries.entries()) {
		expect(await cluster.replicasOf(primary)).toEqual([cluster.nodes[3 + index]]);
		expect((await primary.info('replication'))['connected_slaves']).toBe('1');
	}
	expect(await cluster.primaryOf(0)).toBe(primaries[0]);
	expect(await cluster.primaryOf(16_383)).toBe(primaries[2]);
	await expect(cluster.primaryOf(16_384)).rejects.toThrow('slot 16384 has no primary');
});

test('finds the primary of a key or sharded channel', async () => {
	expect(await cluster.slotOf('foo')).toBe(12_182);
	expect(await cluster.slotOf('chat:{foo}:1')).toBe(12_182);
	const primary = await cluster.primaryOf('foo');

	expect(await primary.command('SET', 'foo', 'bar')).toBe('OK');
	const [other] = (await cluster.primaries()).filter((node) => node !== primary);
	await expect(other?.command('GET', 'foo')).rejects.toThrow(`MOVED 12182 127.0.0.1:${primary.port}`);
});

test('moves a slot with more keys than one MIGRATE takes, and back', async () => {
	const from = await cluster.primaryOf('foo');
	const [to] = (await cluster.primaries()).filter((node) => node !== from);
	if (!to) throw new Error('the cluster has only one primary');
	for (let count = 0; count < 250; count++) await from.command('SET', `{foo}${count}`, 'value');
	await cluster.moveSlot(12_182, from, to);

	expect(await cluster.primaryOf('foo')).toBe(to);
	expect(await to.command('GET', '{foo}249')).toBe('value');
	await expect(from.command('GET', '{foo}249')).rejects.toThrow(/MOVED/);
	await cluster.moveSlot(12_182, to, from);
	expect(await cluster.primaryOf('foo')).toBe(from);
	await cluster.ready();
});

test('fails over to a replica and back, with all nodes in agreement', async () => {
	const primary = await cluster.primaryOf('foo');
	const [replica] = await cluster.replicasOf(primary);
	if (!replica) throw new Error('it has no replica');
	await cluster.failover(replica);

	expect(await cluster.primaryOf('foo')).toBe(replica);
	expect(await cluster.replicasOf(replica)).toEqual([primary]);
	await cluster.ready();
	await cluster.failover(primary, 'takeover');
	expect(await cluster.primaryOf('foo')).toBe(primary);
	await cluster.ready();
});

test('is ready again after a primary is killed, and after it has restarted as a replica', async () => {
	const primary = await cluster.primaryOf('foo');
	const [replica] = await cluster.replicasOf(primary);
	await primary.command('SET', 'foo', 'kept');
	await cluster.ready();
	await primary.kill();
	expect(await cluster.primaryOf('foo')).toBe(primary);
	await cluster.ready();

	expect(await cluster.primaryOf('foo')).toBe(replica);
	expect(await replica?.command('GET', 'foo')).toBe('kept');
	await primary.restart();
	await cluster.ready();
	expect(await cluster.replicasOf(replica ?? primary)).toEqual([primary]);
});

test('fails over by force when the primary is down', async () => {
	const primary = await cluster.primaryOf('foo');
	const [replica] = await cluster.replicasOf(primary);
	if (!replica) throw new Error('it has no replica');
	await primary.kill();
	await cluster.failover(replica, 'force');

	expect(await cluster.primaryOf('foo')).toBe(replica);
	await primary.restart();
	await cluster.ready();
	expect(await cluster.replicasOf(replica)).toEqual([primary]);
});

test('is ready again after a primary hangs, and after it resumes', async () => {
	const primary = await cluster.primaryOf('foo');
	const [replica] = await cluster.replicasOf(primary);
	primary.freeze();
	await cluster.ready();

	expect(await cluster.primaryOf('foo')).toBe(replica);
	primary.thaw();
	await cluster.ready();
	expect(await cluster.replicasOf(replica ?? primary)).toEqual([primary]);
});

test('is ready again after all nodes have restarted', async () => {
	await Promise.all(cluster.nodes.map((node) => node.restart()));
	await cluster.ready();

	expect(await cluster.primaries()).toHaveLength(3);
});

test('rejects ready() with the reason; stop ends all nodes, frozen or not, and removes their directories', async () => {
	const other = await startRedisCluster({ primaries: 2, replicas: 0, password: 'secret' });
	const [one, two] = other.nodes;
	if (!one || !two) throw new Error('the cluster has fewer than two nodes');
	await other.primaryOf('foo').then((primary) => primary.command('SET', 'foo', 'bar'));
	const [from, to] = (await other.primaryOf('foo')) === one ? [one, two] : [two, one];
	await other.moveSlot(await other.slotOf('foo'), from, to);
	expect(await to.command('GET', 'foo')).toBe('bar');
	const [, dir] = (await one.command('CONFIG', 'GET', 'dir')) as [string, string];
	await two.kill();

	await expect(other.ready(100)).rejects.toThrow(`${one.port} still assigns slots to ${two.port}, which is down`);
	one.freeze();
	await expect(other.ready(100)).rejects.toThrow('the cluster is ready: no node is running');
	await expect(other.primaries()).rejects.toThrow(`${one.port} is frozen, ${two.port} is ended`);
	await other.stop();
	await other.stop();
	expect(existsSync(dir)).toBe(false);
	expect([one.state, two.state]).toEqual(['ended', 'ended']);
});

test('rejects with the log of a node that fails to start', async () => {
	await expect(startRedisCluster({ args: ['--no-such-setting', '1'] })).rejects.toThrow(/no-such-setting/);
});
