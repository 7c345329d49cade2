import type { Cluster, Redis } from 'ioredis';

// The checks look at properties, because `instanceof` fails for instances from another copy of ioredis.

/** Returns whether a value is an ioredis instance for a single server, or for the primary of a Sentinel group. */
export function isIoredis(value: object): value is Redis {
	const { duplicate, status, options } = value as Partial<Redis>;
	return typeof duplicate === 'function' && typeof status === 'string' && typeof options === 'object';
}

/** Returns whether a value is an ioredis instance for a Redis Cluster. */
export function isIoredisCluster(value: object): value is Cluster {
	return isIoredis(value) && (value as { readonly isCluster?: boolean }).isCluster === true;
}

/** Describes a client of another package; returns undefined for anything else. */
export function foreignClient(value: object): string | undefined {
	if (value instanceof Bun.RedisClient) return "Bun's RedisClient";
	if (isIoredis(value)) return undefined;
	const { sendCommand, isOpen, duplicate, connect } = value as Record<string, unknown>;
	if (typeof sendCommand === 'function' && typeof isOpen === 'boolean')
		return 'a client of the package redis (node-redis)';
	const isClient = [sendCommand, duplicate, connect].some((method) => typeof method === 'function');
	return isClient ? 'a client of another package' : undefined;
}
