import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { startTestRedis } from './fixtures/start-test-redis.ts';
import { freePort } from './free-port.ts';
import { startRedis } from './redis-server.ts';
import type { RedisServer } from './redis-server.ts';

async function dirOf(redis: RedisServer): Promise<string> {
	const [, dir] = (await redis.command('CONFIG', 'GET', 'dir')) as [string, string];
	return dir;
}

afterEach(() => {
	vi.unstubAllEnvs();
});

test('starts independent servers without persistence', async () => {
	const [one, two] = await Promise.all([startTestRedis(), startTestRedis()]);

	expect(one.url).toBe(`redis://127.0.0.1:${one.port}`);
	expect(await one.command('SET', 'key', 'välue\r\n')).toBe('OK');
	expect(await one.command('GET', 'key')).toBe('välue\r\n');
	expect(await two.command('GET', 'key')).toBe(null);
	expect(await one.command('CONFIG', 'GET', 'save')).toEqual(['save', '']);
	expect(await one.command('CONFIG', 'GET', 'appendonly')).toEqual(['appendonly', 'no']);
});

test('commands return every type of reply', async () => {
	const redis = await startTestRedis();

	expect(await redis.command('PUBSUB', 'NUMSUB', 'a', 'b')).toEqual(['a', 0, 'b', 0]);
	expect(await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')).toBe(0);
	expect(await redis.command('EVAL', `return {1, {'two', false}, {}}`, '0')).toEqual([1, ['two', null], []]);
	expect(await redis.command('GETRANGE', 'none', '0', '-1')).toBe('');
	await expect(redis.command('NO-SUCH')).rejects.toThrow(/ERR unknown command/);
	const large = 'x'.repeat(3_000_000);
	expect(await Promise.all([redis.command('ECHO', large), redis.command('ECHO', 'small')])).toEqual([large, 'small']);
});

test('after a kill, restarts on the same port with a new process', async () => {
	const redis = await startTestRedis();
	const { pid, port } = redis;
	await redis.command('SET', 'key', 'value');
	await redis.kill();

	await expect(redis.command('PING')).rejects.toThrow(/ECONNREFUSED|Failed to connect/);
	await redis.restart();
	expect(redis.port).toBe(port);
	expect(redis.pid).not.toBe(pid);
	expect(await Promise.all([redis.command('PING'), redis.command('GET', 'key')])).toEqual(['PONG', null]);
});

test('restart of a running server keeps data that it persists', async () => {
	const redis = await startTestRedis({ args: ['--appendonly', 'yes'] });
	await redis.command('SET', 'key', 'value');
	await redis.restart();

	expect(await redis.command('GET', 'key')).toBe('value');
});

test('freeze suspends it, thaw resumes it', async () => {
	const redis = await startTestRedis();
	redis.freeze();

	const reply = redis.command('PING');
	expect(await Promise.race([reply, Bun.sleep(100)])).toBe(undefined);
	redis.thaw();
	expect(await reply).toBe('PONG');
});

test('stop ends the process and removes the directory, frozen or not; it is idempotent', async () => {
	const redis = await startTestRedis();
	const dir = await dirOf(redis);
	expect(existsSync(dir)).toBe(true);
	redis.freeze();
	await redis.stop();
	await redis.stop();

	expect(existsSync(dir)).toBe(false);
	expect(() => process.kill(redis.pid, 0)).toThrow();
	await expect(redis.command('PING')).rejects.toThrow();
	await expect(redis.restart()).rejects.toThrow(/was stopped/);
});

test('keeps a directory that it was given', async () => {
	const dir = mkdtempSync(join(tmpdir(), 'testkit-'));
	const redis = await startTestRedis({ dir });
	expect(await dirOf(redis)).toBe(dir);
	await redis.stop();

	expect(existsSync(dir)).toBe(true);
	rmSync(dir, { recursive: true });
});

test('a server that requires a password counts as started', async () => {
	const redis = await startTestRedis({ args: ['--requirepass', 'secret'] });

	await expect(redis.command('GET', 'key')).rejects.toThrow(/NOAUTH/);
	expect(await redis.command('AUTH', 'secret')).toBe('OK');
	expect(await redis.command('GET', 'key')).toBe(null);
});

test('a failed start rejects with the log', async () => {
	await expect(startRedis({ args: ['--no-such-setting', '1'] })).rejects.toThrow(/exited with 1[^]*no-such-setting/);
});

test('a requested port that is in use is an error, even if a Redis uses it', async () => {
	const { port } = await startTestRedis();

	await expect(startRedis({ port })).rejects.toThrow(/exited with 1[^]*Address already in use/);
});

test('a start that takes too long times out', async () => {
	await expect(startRedis({ timeoutMs: 1 })).rejects.toThrow(/did not answer/);
});

test('without redis-server in PATH the error names the fix', async () => {
	vi.stubEnv('PATH', '/nowhere');

	await expect(startRedis()).rejects.toThrow(/bun run ensure-redis/);
});

test('a cluster node starts', async () => {
	const redis = await startTestRedis({ args: ['--cluster-enabled', 'yes'] });

	expect(await redis.command('CLUSTER', 'INFO')).toContain('cluster_state:fail');
});

test('freePort returns ports that are free, each only once', async () => {
	const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()));

	expect(new Set(ports).size).toBe(20);
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(ports[0], '127.0.0.1', resolve));
	server.close();
});
