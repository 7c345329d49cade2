import { expect, test } from 'vitest';
import { startTestRedis } from './fixtures/start-test-redis.ts';
import { freePort } from './free-port.ts';
import { startTcpProxy } from './tcp-proxy.ts';
import { until } from './until.ts';

test('a replica receives the data of its primary, and later writes', async () => {
	const primary = await startTestRedis();
	await primary.command('SET', 'old', '1');
	const replicas = await Promise.all([startTestRedis({ replicaOf: primary }), startTestRedis({ replicaOf: primary })]);
	await Promise.all(replicas.map((replica) => replica.linkUp()));
	for (const replica of replicas) expect(await replica.command('GET', 'old')).toBe('1');
	await primary.replicated(2);

	await primary.command('SET', 'new', '2');
	await primary.replicated(2);
	for (const replica of replicas) expect(await replica.command('GET', 'new')).toBe('2');
	expect((await primary.info('replication'))['connected_slaves']).toBe('2');
});

test('linkUp rejects with the log if the replica does not connect', async () => {
	const replica = await startTestRedis({ replicaOf: { host: '127.0.0.1', port: await freePort() } });

	await expect(replica.linkUp(200)).rejects.toThrow(
		/200 ms waiting until Redis .* is connected[^]*Connecting to MASTER/,
	);
});

test('replicated rejects if a replica is missing', async () => {
	const primary = await startTestRedis();

	await expect(primary.replicated(1, 200)).rejects.toThrow('200 ms waiting until 1 replica(s) receive the primary');
});

test('a replica whose stream is blocked is not in sync, although its link is up', async () => {
	const primary = await startTestRedis();
	const proxy = await startTcpProxy({ port: primary.port });
	const replica = await startTestRedis({ replicaOf: proxy });
	await replica.linkUp();
	await primary.replicated();
	proxy.freeze();

	await replica.linkUp();
	await expect(primary.replicated(1, 200)).rejects.toThrow(/receive the primary's stream/);
	proxy.thaw();
	await primary.replicated();
	await proxy.stop();
});

test('a restart keeps the role of the start, or of CONFIG REWRITE', async () => {
	const primary = await startTestRedis();
	const replica = await startTestRedis({ replicaOf: primary });
	await replica.command('REPLICAOF', 'NO', 'ONE');
	await replica.restart();
	expect((await replica.info('replication'))['role']).toBe('slave');
	await replica.linkUp();

	await replica.command('REPLICAOF', 'NO', 'ONE');
	await replica.command('CONFIG', 'REWRITE');
	await replica.restart();
	expect((await replica.info('replication'))['role']).toBe('master');
});

test('state follows the process', async () => {
	const redis = await startTestRedis();
	expect(redis.state).toBe('running');
	redis.freeze();
	expect(redis.state).toBe('frozen');
	redis.thaw();
	expect(redis.state).toBe('running');
	await redis.command('SHUTDOWN', 'NOSAVE').catch(() => {});
	await until(() => redis.state === 'ended', { what: 'Redis has exited' });
	await redis.restart();
	expect(redis.state).toBe('running');
	redis.freeze();
	await redis.kill();
	expect(redis.state).toBe('ended');
});
