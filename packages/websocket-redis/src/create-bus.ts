import type { Bus } from '@orijs/websocket';
import { type OptionNames, show, unknownOption } from '@orijs/websocket/internal';
import type { Cluster, NatMap, RedisOptions } from 'ioredis';
import { ClusterBus } from './cluster/cluster-bus.ts';
import { instanceOptions } from './cluster/cluster-instance.ts';
import type { RedisClusterNode } from './cluster/cluster-node.ts';
import type { RedisClusterOptionsFunction } from './cluster/cluster-options.ts';
import { InvalidRedisOptionError } from './errors.ts';
import { RedisBus } from './redis-bus.ts';
import { foreignClient, isIoredis, isIoredisCluster } from './server/client-kinds.ts';
import type { SingleConnection } from './server/client-options.ts';
import type { RedisConnectionFunction } from './server/connection-function.ts';

/** A Redis Cluster. */
export interface RedisClusterConnection {
	/**
	 * Some of the nodes, as `{ host, port }` or URLs; the others are discovered. Further options of a node apply only to
	 * that node.
	 */
	readonly cluster: readonly RedisClusterNode[];
	/**
	 * The ioredis options for connections to any of the nodes, or a function that returns them or a promise of them. The
	 * function is called for each new connection, and once at start.
	 */
	readonly options?: RedisOptions | RedisClusterOptionsFunction;
	/**
	 * As in ioredis: maps each `host:port` that a node announces to the address at which it can be reached. Default: the
	 * announced addresses.
	 */
	readonly natMap?: NatMap;
}

/**
 * How to connect to Redis: ioredis options (`{ host, port }`, `{ sentinels, name }`, …), a `redis://` or `rediss://`
 * URL, a Redis Cluster, an ioredis instance, or a function that returns options or a URL. Only the options of an
 * instance are used, and it is never closed. Options are read, and the function is called, for each new connection.
 */
export type RedisConnection = SingleConnection | RedisConnectionFunction | RedisClusterConnection | Cluster;

const CLUSTER_OPTIONS: OptionNames<RedisClusterConnection> = { cluster: true, options: true, natMap: true };

/** Creates the bus for a connection. @throws {InvalidRedisOptionError} */
export function createBus(connection: RedisConnection, keyPrefix: string, connectTimeout: number): Bus {
	const shared = { keyPrefix, connectTimeout };
	mustBeConnection(connection);
	if (typeof connection !== 'object') return new RedisBus({ connection, ...shared });
	if (isIoredisCluster(connection)) return new ClusterBus({ ...instanceOptions(connection), ...shared });
	if (!isClusterConnection(connection)) return new RedisBus({ connection, ...shared });
	const unknown = unknownOption('connection, for a Redis Cluster,', connection, CLUSTER_OPTIONS);
	if (unknown !== undefined) throw new InvalidRedisOptionError(unknown);
	const { cluster, options = {}, natMap } = connection;
	return new ClusterBus({ nodes: cluster, options, natMap: natMap ?? null, ...shared });
}

/** Distinguishes a Redis Cluster from an ioredis instance, whose `cluster` is a method. */
function isClusterConnection(
	connection: Exclude<RedisConnection, string | RedisConnectionFunction | Cluster>,
): connection is RedisClusterConnection {
	return 'cluster' in connection && !isIoredis(connection);
}

/** @throws {InvalidRedisOptionError} */
function mustBeConnection(connection: unknown): void {
	const shown = show(connection);
	if (typeof connection === 'string') return;
	if (typeof connection === 'function' && !shown.startsWith('class ')) return;
	const isObject = typeof connection === 'object' && connection !== null && !Array.isArray(connection);
	const client = isObject ? foreignClient(connection) : undefined;
	if (isObject && client === undefined) return;
	throw new InvalidRedisOptionError(
		'connection must be ioredis options such as { host, port }, a redis:// URL, { cluster: [...] }, ' +
			`an ioredis instance, or a function that returns options; not ${client ?? shown}`,
	);
}
