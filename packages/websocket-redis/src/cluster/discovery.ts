import type { Redis } from 'ioredis';
import { ClusterUnsupportedError, NoRedisClusterError } from '../errors.ts';
import { bounded } from '../server/bounded.ts';
import { endpointOf, isRefusal } from '../server/client-options.ts';
import { askWithin, type ConnectionSource } from '../server/connection-source.ts';
import { ServerConnection } from '../server/server-connection.ts';
import { addressOf, type RedisClusterNode } from './cluster-node.ts';
import { askCommon, type ClusterOptions, nodeSource } from './cluster-options.ts';
import { addressName, type ClusterAddress, type ClusterTopology, readTopology } from './topology.ts';

export interface Discovery {
	readonly topology: ClusterTopology;
	/** Returns the source of connections to a node. */
	sourceOf(address: ClusterAddress): ConnectionSource;
}

/**
 * Asks all listed nodes for the topology and returns the first reply. If every node fails, rejects with the error of
 * the first one listed.
 *
 * @throws {ConnectionFunctionError} {InvalidRedisOptionError} the options are unavailable or invalid
 */
export async function discover(options: ClusterOptions, signal: AbortSignal): Promise<Discovery> {
	const { connectTimeout, natMap } = options;
	const common = await askWithin(connectTimeout, () => askCommon(options), signal);
	const listed = await listedNodes(options, signal);
	const sourceOf = (address: ClusterAddress): ConnectionSource =>
		nodeSource(options, common, address, listed.get(addressName(address))?.node);
	const attempts = Array.from(listed.values(), async ({ address }) => {
		const connection = new ServerConnection(sourceOf(address));
		try {
			await connection.open(connectTimeout, signal);
			await mustSupportShardedPubSub(connection.client);
			return await topologyFrom(connection.client, natMap);
		} finally {
			connection.close();
		}
	});
	try {
		return { topology: await Promise.any(attempts), sourceOf };
	} catch (error) {
		throw error instanceof AggregateError ? error.errors[0] : error;
	}
}

interface ListedNode {
	readonly node: RedisClusterNode;
	readonly address: ClusterAddress;
}

/** Returns the listed nodes, by the names of their addresses. */
async function listedNodes(options: ClusterOptions, signal: AbortSignal): Promise<ReadonlyMap<string, ListedNode>> {
	const { nodes, lookup, connectTimeout } = options;
	const found = await Promise.all(
		nodes.map(async (node): Promise<readonly ListedNode[]> => {
			const address = addressOf(node);
			if (lookup === undefined) return [{ node, address }];
			try {
				const late = (): Error => new Error('no address in time');
				const addresses = await bounded(connectTimeout, signal, () => lookup(address), late);
				return addresses.map((each) => ({ node, address: each }));
			} catch {
				// The lookup failed. Connecting by name either works, or fails with an error that says why.
				return [{ node, address }];
			}
		}),
	);
	return new Map(found.flat().map((listed) => [addressName(listed.address), listed]));
}

/** @throws {NoRedisClusterError} */
async function topologyFrom(client: Redis, natMap: ClusterOptions['natMap']): Promise<ClusterTopology> {
	try {
		return await readTopology(client, natMap);
	} catch (error) {
		if (!isRefusal(error) || !error.message.includes('cluster support disabled')) throw error;
		throw new NoRedisClusterError(endpointOf(client), { cause: error });
	}
}

/** @throws {ClusterUnsupportedError} */
async function mustSupportShardedPubSub(client: Redis): Promise<void> {
	try {
		const [known] = await client.command('INFO', 'ssubscribe');
		if (known === null) throw new ClusterUnsupportedError();
	} catch (error) {
		// If the user may not run COMMAND, the first subscription shows whether SSUBSCRIBE is supported.
		if (!isRefusal(error)) throw error;
	}
}
