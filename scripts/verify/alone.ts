import type { Packed } from '../lib/pack.ts';
import { consumer } from './consumer.ts';
import { importAll } from './imports.ts';

const redis = ['ioredis', '@orijs/websocket-redis'];

/**
 * Installs one package and nothing else. Checks that it loads, and that only the Redis provider depends on a Redis
 * client.
 */
export async function verifyAlone(one: Packed, all: readonly Packed[]): Promise<void> {
	const dir = await consumer({ name: 'alone', install: [one], all });
	await importAll(dir, [one.name]);
	if (redis.includes(one.name)) return;

	for (const name of redis) {
		const [found] = new Bun.Glob(`node_modules/**/${name}/package.json`).scanSync({ cwd: dir, dot: true });
		if (found !== undefined) throw new Error(`installing only ${one.name} also installs ${name}: ${found}`);
	}
}
