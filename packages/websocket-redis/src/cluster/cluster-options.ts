import { show } from '@orijs/websocket/internal';
import type { NatMap, RedisOptions } from 'ioredis';
import { createClient } from '../server/client-options.ts';
import { call } from '../server/connection-function.ts';
import type { ConnectionSource } from '../server/connection-source.ts';
import { InvalidRedisOptionError } from '../errors.ts';
import { type RedisClusterNode, ownOptions } from './cluster-node.ts';
import type { ClusterAddress } from './topology.ts';

/** Gives the options of connections to the nodes of a cluster. Called for each new connection, and once at start. */
export type RedisClusterOptionsFunction = () => RedisOptions | Promise<RedisOptions>;

export interface ClusterOptions {
	/** Some of the cluster's nodes; the others are discovered. */
	readonly nodes: readonly RedisClusterNode[];
	/** Options for every connection, such as the password and TLS. Read, or called, for each connection. */
	readonly options: RedisOptions | RedisClusterOptionsFunction;
	/** The addresses at which this process reaches the nodes, by the addresses that they announce. */
	readonly natMap?: NatMap | null;
	/** Finds the addresses of a listed node. Default: its host and port. */
	readonly lookup?: (address: ClusterAddress) => Promise<readonly ClusterAddress[]>;
	/** What the names of channels and keys on Redis begin with. */
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
				(typeof given === 'string' ? 'text' : show(given)),
		);
	}
	if (given.db === undefined || given.db === 0) return given;
	throw new InvalidRedisOptionError(`a Redis Cluster has only the database 0, not ${show(given.db)}`);
}

/**
 * Returns the source of connections to a node. As in ioredis, options of the node itself override those that all
 * connections have in common.
 *
 * @param node the node as it was listed, if it was
 */
export function nodeSource(
	cluster: ClusterOptions,
	common: RedisOptions,
	{ host, port }: ClusterAddress,
	node: RedisClusterNode | undefined,
): ConnectionSource {
	const complete = (asked: RedisOptions): RedisOptions => {
		const { tls, ...own } = node === undefined ? {} : ownOptions(node);
		// The scheme rediss:// only says that there is TLS. The common options may say more.
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
