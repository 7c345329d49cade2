import type { Packed } from '../lib/pack.ts';
import { consumer } from './consumer.ts';
import { importAll } from './imports.ts';

const redis = ['ioredis', '@orijs/websocket-redis'];

/** Installs one package and nothing else. It must load, and only the Redis provider may depend on a Redis client. */
export async function verifyAlone(one: Packed, all: readonly Packed[]): Promise<void> {
	const dir = await consumer({ name: 'alone', install: [one], all });
	await importAll(dir, [one.name]);
	if (redis.includes(one.name)) return;

	for (const name of redis) {
		const [found] = new Bun.Glob(`node_modules/**/${name}/package.json`).scanSync({ cwd: dir, dot: true });
		if (found !== undefined) throw new Error(`${one.name} alone installs ${name}: ${found}`);
	}
}
