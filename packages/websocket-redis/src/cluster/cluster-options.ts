import { show } from '@orijs/websocket/internal';
import type { NatMap, RedisOptions } from 'ioredis';
import { createClient } from '../server/client-options.ts';
import { call } from '../server/connection-function.ts';
import type { ConnectionSource } from '../server/connection-source.ts';
import { InvalidRedisOptionError } from '../errors.ts';
import { type RedisClusterNode, ownOptions } from './cluster-node.ts';
import type { ClusterAddress } from './topology.ts';

/** Returns the options of connections to the nodes of a cluster. Called for each new connection, and once at start. */
export type RedisClusterOptionsFunction = () => RedisOptions | Promise<RedisOptions>;

export interface ClusterOptions {
	/** Some of the cluster's nodes; the others are discovered. */
	readonly nodes: readonly RedisClusterNode[];
	/** Options for every connection, such as the password and TLS. Read, or called, for each connection. */
	readonly options: RedisOptions | RedisClusterOptionsFunction;
	/** Maps the addresses that the nodes announce to those at which this process reaches them. */
	readonly natMap?: NatMap | null;
	/** Finds the addresses of a listed node. Default: its host and port. */
	readonly lookup?: (address: ClusterAddress) => Promise<readonly ClusterAddress[]>;
	/** The prefix of the names of channels and keys on Redis. */
	readonly keyPrefix: string;
	/** How long `start` tries to connect, in milliseconds. */
	readonly connectTimeout: number;
}

/**
 * Returns the options that all connections have in common.
 *
 * @throws {ConnectionFunctionError} {InvalidRedisOptionError}
 */
export function askCommon({ options }: ClusterOptions): RedisOptions | Promise<RedisOptions> {
	return typeof options === 'function' ? call(options).then(checked) : checked(options);
}

function checked(given: RedisOptions | string): RedisOptions {
	if (typeof given !== 'object' || given === null) {
		throw new InvalidRedisOptionError(
			'connection.options of a Redis Cluster must be ioredis options, or a function that returns them, not ' +
				(typeof given === 'string' ? 'a string' : show(given)),
		);
	}
	if (given.db === undefined || given.db === 0) return given;
	throw new InvalidRedisOptionError(`a Redis Cluster supports only database 0, not ${show(given.db)}`);
}

/**
 * Returns the source of connections to a node. As in ioredis, options of the node itself override those that all
 * connections have in common.
 *
 * @param node the listed node, if the address belongs to one
 */
export function nodeSource(
	cluster: ClusterOptions,
	common: RedisOptions,
	{ host, port }: ClusterAddress,
	node: RedisClusterNode | undefined,
): ConnectionSource {
	const complete = (asked: RedisOptions): RedisOptions => {
		const { tls, ...own } = node === undefined ? {} : ownOptions(node);
		// The scheme rediss:// only turns TLS on. The common options may contain its settings.
		const { tls: commonTls = tls } = asked;
		const usedTls = typeof tls === 'object' ? tls : commonTls;
		const all = { ...asked, ...own, host, port, db: 0, ...(usedTls !== undefined && { tls: usedTls }) };
		return createClient(all, cluster.connectTimeout).options;
	};
	return {
		initial: complete(common),
		ask() {
			const asked = askCommon(cluster);
			return asked instanceof Promise ? asked.then(complete) : complete(asked);
		},
	};
}
