import type { Bus } from '@orijs/websocket';
import type { Cluster, RedisOptions } from 'ioredis';
import { ClusterBus } from './cluster/cluster-bus.ts';
import type { ClusterAddress } from './cluster/topology.ts';
import { RedisBus } from './redis-bus.ts';
import type { SingleConnection } from './server/client-options.ts';

/** A Redis Cluster: some of its nodes, and the ioredis options for connections to any of its nodes. */
export interface RedisClusterConnection {
	readonly cluster: readonly ClusterAddress[];
	readonly options?: RedisOptions;
}

/**
 * How to connect to Redis: ioredis options (`{ host, port }`, `{ sentinels, name }`, …), a `redis://` or `rediss://`
 * URL, a Redis Cluster, or an ioredis instance. Only the options of an instance are used; it is never closed.
 */
export type RedisConnection = SingleConnection | RedisClusterConnection | Cluster;

/** Creates the bus for a connection. @throws {InvalidRedisOptionError} */
export function createBus(connection: RedisConnection, keyPrefix: string, connectTimeout: number): Bus {
	if (isClusterInstance(connection)) {
		const nodes = connection.nodes().map(({ options: { host = 'localhost', port = 6379 } }) => ({ host, port }));
		return new ClusterBus({ nodes, options: connection.options.redisOptions ?? {}, keyPrefix, connectTimeout });
	}
	if (isCluster(connection)) {
		return new ClusterBus({ nodes: connection.cluster, options: connection.options ?? {}, keyPrefix, connectTimeout });
	}
	return new RedisBus({ connection, keyPrefix, connectTimeout });
}

/** Checks a property, not `instanceof`: the instance may come from another copy of ioredis. */
function isClusterInstance(connection: RedisConnection): connection is Cluster {
	return isObject(connection) && (connection as Partial<Cluster>).isCluster === true;
}

/** Distinguishes a Redis Cluster from an ioredis instance, whose `cluster` is a method. */
function isCluster(connection: SingleConnection | RedisClusterConnection): connection is RedisClusterConnection {
	return isObject(connection) && 'cluster' in connection && typeof connection.cluster !== 'function';
}

function isObject(value: unknown): value is object {
	return typeof value === 'object' && value !== null;
}
