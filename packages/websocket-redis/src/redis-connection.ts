import type { Bus } from '@orijs/websocket';
import { Cluster, type RedisOptions } from 'ioredis';
import { ClusterBus } from './cluster-bus.ts';
import type { ClusterAddress } from './cluster-topology.ts';
import { RedisBus } from './redis-bus.ts';
import type { SingleConnection } from './redis-client.ts';

/** A Redis Cluster: some of its nodes, and ioredis options for every connection to it. */
export interface RedisClusterConnection {
	readonly cluster: readonly ClusterAddress[];
	readonly options?: RedisOptions;
}

/**
 * Where Redis is: ioredis options (`{ host, port }`, `{ sentinels, name }`, …), a `redis://` or `rediss://` URL, a Redis Cluster, or an
 * ioredis instance, whose options are taken over and which is never used or closed.
 */
export type RedisConnection = SingleConnection | RedisClusterConnection | Cluster;

/** The transport for what a connection leads to. @throws {InvalidRedisOptionError} */
export function createBus(connection: RedisConnection, keyPrefix: string, connectTimeout: number): Bus {
	if (connection instanceof Cluster) {
		const nodes = connection.nodes().map(({ options: { host = 'localhost', port = 6379 } }) => ({ host, port }));
		const { redisOptions } = connection.options;
		return new ClusterBus({ nodes, options: redisOptions ?? {}, keyPrefix, connectTimeout });
	}
	if (typeof connection === 'object' && connection !== null && 'cluster' in connection && isCluster(connection)) {
		return new ClusterBus({ nodes: connection.cluster, options: connection.options ?? {}, keyPrefix, connectTimeout });
	}
	return new RedisBus({ connection, keyPrefix, connectTimeout });
}

/** An ioredis instance has a `cluster` as well: a command. */
function isCluster(connection: object): connection is RedisClusterConnection {
	return typeof (connection as Partial<RedisClusterConnection>).cluster !== 'function';
}
