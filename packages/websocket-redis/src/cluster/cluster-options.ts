import type { Redis, RedisOptions } from 'ioredis';
import { createClient } from '../server/client-options.ts';
import type { ClusterAddress } from './topology.ts';

export interface ClusterOptions {
	/** Some of the cluster's nodes; the others are discovered. */
	readonly nodes: readonly ClusterAddress[];
	/** Options for every connection, such as the password and TLS. */
	readonly options: RedisOptions;
	/** The name of a channel on Redis is `{keyPrefix}:{channel}`. */
	readonly keyPrefix: string;
	/** How long `start` tries to connect, in milliseconds. */
	readonly connectTimeout: number;
}

/** Creates a client for one node of the cluster, not connected yet. */
export function createNodeClient({ options, connectTimeout }: ClusterOptions, { host, port }: ClusterAddress): Redis {
	return createClient({ ...options, host, port, db: 0 }, connectTimeout);
}
