import { isIP } from 'node:net';
import type { Cluster, ClusterOptions as IoredisClusterOptions } from 'ioredis';
import type { RedisClusterNode } from './cluster-node.ts';
import type { ClusterOptions } from './cluster-options.ts';
import type { ClusterAddress } from './topology.ts';

/** Returns the options with which an ioredis Cluster connects, whether or not it is connected. */
export function instanceOptions(cluster: Cluster): Pick<ClusterOptions, 'nodes' | 'options' | 'natMap' | 'lookup'> {
	// Private in the types. `nodes()` is empty before the cluster is connected, and lacks nodes that are down.
	const { startupNodes } = cluster as unknown as { readonly startupNodes: readonly RedisClusterNode[] };
	const { options } = cluster;
	return {
		nodes: startupNodes,
		// ioredis ignores the database as well.
		options: () => ({ ...options.redisOptions, db: 0 }),
		natMap: options.natMap ?? null,
		lookup: (address) => lookUp(address, options),
	};
}

/**
 * Finds the addresses of a listed node as the instance does. The cluster reports nodes by these addresses, which
 * connect them to the options of listed nodes.
 */
async function lookUp(
	{ host, port }: ClusterAddress,
	{ useSRVRecords, resolveSrv, dnsLookup }: IoredisClusterOptions,
): Promise<readonly ClusterAddress[]> {
	const toIp = (name: string): Promise<string> =>
		called<string>((done) => dnsLookup?.(name, (error, address) => done(error, address)));
	if (isIP(host)) return [{ host, port }];
	if (!useSRVRecords) return [{ host: await toIp(host), port }];
	const records = await called<SrvRecord[]>((done) => resolveSrv?.(host, done));
	return Promise.all(records.map(async (record) => ({ host: await toIp(record.name), port: record.port })));
}

type SrvRecord = Pick<import('node:dns').SrvRecord, 'name' | 'port'>;

/** Turns a callback into a promise. */
function called<T>(call: (done: (error: Error | null | undefined, value?: T) => void) => void): Promise<T> {
	return new Promise((resolve, reject) => {
		call((error, value) => {
			if (error || value === undefined) reject(error ?? new Error('no result'));
			else resolve(value);
		});
	});
}
