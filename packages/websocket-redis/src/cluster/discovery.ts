import type { Redis } from 'ioredis';
import { ClusterUnsupportedError } from '../errors.ts';
import { connect, isRefusal } from '../server/client-options.ts';
import { ServerConnection } from '../server/server-connection.ts';
import { type ClusterOptions, createNodeClient } from './cluster-options.ts';
import { type ClusterTopology, readTopology } from './topology.ts';

/**
 * Asks all listed nodes for the topology and returns the first reply. If every node fails, rejects with the error of
 * the first one listed.
 */
export async function discoverTopology(options: ClusterOptions, signal: AbortSignal): Promise<ClusterTopology> {
	const attempts = options.nodes.map(async (address) => {
		const connection = new ServerConnection(createNodeClient(options, address));
		try {
			await connect(connection.client, options.connectTimeout, signal);
			await mustSupportShardedPubSub(connection.client);
			return await readTopology(connection.client);
		} finally {
			connection.close();
		}
	});
	try {
		return await Promise.any(attempts);
	} catch (error) {
		throw error instanceof AggregateError ? error.errors[0] : error;
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
