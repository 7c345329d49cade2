import { existsSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startRedisCluster } from './redis-cluster.ts';
import type { RedisCluster } from './redis-cluster.ts';

let cluster: RedisCluster;

/** One for each: whom nodes voted for, and when, stays with them, and keeps them from voting for the next one for a while. */
beforeEach(async () => {
	cluster = await startRedisCluster();
});

afterEach(() => cluster.stop());

test('starts with three masters that share the slots, and a replica for each', async () => {
	const masters = await cluster.masters();
	expect(masters).toEqual(cluster.nodes.slice(0, 3));

	for (const [index, master] of masters.entries()) {
		expect(await cluster.replicasOf(master)).toEqual([cluster.nodes[3 + index]]);
		expect((await master.info('replication'))['connected_slaves']).toBe('1');
	}
	expect(await cluster.masterOf(0)).toBe(masters[0]);
	expect(await cluster.masterOf(16_383)).toBe(masters[2]);
	await expect(cluster.masterOf(16_384)).rejects.toThrow('slot 16384 has no master');
});

test('finds the master of a key or sharded channel', async () => {
	expect(await cluster.slotOf('foo')).toBe(12_182);
	expect(await cluster.slotOf('chat:{foo}:1')).toBe(12_182);
	const master = await cluster.masterOf('foo');

	expect(await master.command('SET', 'foo', 'bar')).toBe('OK');
	const [other] = (await cluster.masters()).filter((node) => node !== master);
	await expect(other?.command('GET', 'foo')).rejects.toThrow(`MOVED 12182 127.0.0.1:${master.port}`);
});

test('moves a slot with more keys than go at once, and back', async () => {
	const from = await cluster.masterOf('foo');
	const [to] = (await cluster.masters()).filter((node) => node !== from);
	if (!to) throw new Error('there is only one master');
	for (let count = 0; count < 250; count++) await from.command('SET', `{foo}${count}`, 'value');
	await cluster.moveSlot(12_182, from, to);

	expect(await cluster.masterOf('foo')).toBe(to);
	expect(await to.command('GET', '{foo}249')).toBe('value');
	await expect(from.command('GET', '{foo}249')).rejects.toThrow(/MOVED/);
	await cluster.moveSlot(12_182, to, from);
	expect(await cluster.masterOf('foo')).toBe(from);
	await cluster.ready();
});

test('fails over to a replica and back, all agreeing', async () => {
	const master = await cluster.masterOf('foo');
	const [replica] = await cluster.replicasOf(master);
	if (!replica) throw new Error('it has no replica');
	await cluster.failover(replica);

	expect(await cluster.masterOf('foo')).toBe(replica);
	expect(await cluster.replicasOf(replica)).toEqual([master]);
	await cluster.ready();
	await cluster.failover(master, 'takeover');
	expect(await cluster.masterOf('foo')).toBe(master);
	await cluster.ready();
});

test('is ready again after a master was killed, and after it is back as a replica', async () => {
	const master = await cluster.masterOf('foo');
	const [replica] = await cluster.replicasOf(master);
	await master.command('SET', 'foo', 'kept');
	await cluster.ready();
	await master.kill();
	expect(await cluster.masterOf('foo')).toBe(master);
	await cluster.ready();

	expect(await cluster.masterOf('foo')).toBe(replica);
	expect(await replica?.command('GET', 'foo')).toBe('kept');
	await master.restart();
	await cluster.ready();
	expect(await cluster.replicasOf(replica ?? master)).toEqual([master]);
});

test('fails over by force when the master is gone', async () => {
	const master = await cluster.masterOf('foo');
	const [replica] = await cluster.replicasOf(master);
	if (!replica) throw new Error('it has no replica');
	await master.kill();
	await cluster.failover(replica, 'force');

	expect(await cluster.masterOf('foo')).toBe(replica);
	await master.restart();
	await cluster.ready();
	expect(await cluster.replicasOf(replica)).toEqual([master]);
});

test('is ready again after a master hung, and after it goes on', async () => {
	const master = await cluster.masterOf('foo');
	const [replica] = await cluster.replicasOf(master);
	master.freeze();
	await cluster.ready();

	expect(await cluster.masterOf('foo')).toBe(replica);
	master.thaw();
	await cluster.ready();
	expect(await cluster.replicasOf(replica ?? master)).toEqual([master]);
});

test('is ready again after all nodes restarted', async () => {
	await Promise.all(cluster.nodes.map((node) => node.restart()));
	await cluster.ready();

	expect(await cluster.masters()).toHaveLength(3);
});

test('tells what is missing, and stops without a trace, frozen or not', async () => {
	const lone = await startRedisCluster({ masters: 2, replicas: 0, password: 'secret' });
	const [one, two] = lone.nodes;
	if (!one || !two) throw new Error('there should be two');
	await lone.masterOf('foo').then((master) => master.command('SET', 'foo', 'bar'));
	const [from, to] = (await lone.masterOf('foo')) === one ? [one, two] : [two, one];
	await lone.moveSlot(await lone.slotOf('foo'), from, to);
	expect(await to.command('GET', 'foo')).toBe('bar');
	const [, dir] = (await one.command('CONFIG', 'GET', 'dir')) as [string, string];
	await two.kill();

	await expect(lone.ready(100)).rejects.toThrow(`${one.port} still takes ${two.port}, which is down`);
	one.freeze();
	await expect(lone.ready(100)).rejects.toThrow('the cluster is ready; last, no node runs');
	await expect(lone.masters()).rejects.toThrow(`${one.port} is frozen, ${two.port} is ended`);
	await lone.stop();
	await lone.stop();
	expect(existsSync(dir)).toBe(false);
	expect([one.state, two.state]).toEqual(['ended', 'ended']);
});

test('a node that does not start fails the whole, with its log', async () => {
	await expect(startRedisCluster({ args: ['--no-such-setting', '1'] })).rejects.toThrow(/no-such-setting/);
});
