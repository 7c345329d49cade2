import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RedisServer, startRedis } from '@orijs/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

describe('in a minified bundle, where classes have other names', () => {
	let redis: RedisServer;
	let folder: string;
	beforeAll(async () => {
		folder = mkdtempSync(join(tmpdir(), 'orijs-bundle-'));
		redis = await startRedis();
		const channels = ['resetchannels', '&orijs:\\**', '&orijs:!*', '&orijs:@*', '&orijs:open*'];
		await redis.command('ACL', 'SETUSER', 'limited', 'on', '>pw', '+@all', '-info', '~*', ...channels);
	});
	afterAll(async () => {
		rmSync(folder, { recursive: true, force: true });
		await redis.stop();
	});

	it.each(['ioredis', 'ioredis-5'])('refusals of Redis are recognised, with %s', async (ioredis) => {
		const bundle = await minified(fileURLToPath(new URL('../test-support/limited-node.ts', import.meta.url)), ioredis);
		const file = join(folder, `${ioredis}.mjs`);
		await Bun.write(file, bundle);
		const child = Bun.spawn([process.execPath, file], {
			env: { ...process.env, REDIS_PORT: String(redis.port) },
			stdout: 'pipe',
			stderr: 'ignore',
			timeout: 10_000,
		});

		expect(await child.stdout.text()).toBe('SubscribeError,subscribed\n');
	});
});

const HERE = fileURLToPath(new URL('.', import.meta.url));

async function minified(entry: string, ioredis: string): Promise<Blob> {
	const { outputs } = await Bun.build({
		entrypoints: [entry],
		target: 'bun',
		minify: true,
		conditions: ['@orijs/source'],
		external: ['playwright-core'],
		plugins: [
			{
				name: 'ioredis',
				setup: (build) =>
					void build.onResolve({ filter: /^ioredis$/ }, () => ({ path: Bun.resolveSync(ioredis, HERE) })),
			},
		],
	});
	const [output] = outputs;
	if (output === undefined) throw new Error('nothing was bundled');
	return output;
}
