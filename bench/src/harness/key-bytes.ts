import type { RedisServer } from '@orijs/testkit';
import { Redis } from 'ioredis';

const PAGE = 1_000;

/** Returns the memory of all keys of a Redis with their values, in bytes, as Redis counts it. */
export async function keyBytes({ port }: RedisServer): Promise<number> {
	const redis = new Redis({ port, enableAutoPipelining: true });
	let sum = 0;
	let cursor = '0';
	do {
		const [next, keys] = await redis.scan(cursor, 'COUNT', PAGE);
		// Without samples, Redis would count only a few elements of each value.
		const sizes = await Promise.all(keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)));
		for (const size of sizes) sum += size ?? 0;
		cursor = next;
	} while (cursor !== '0');
	redis.disconnect();
	return sum;
}
