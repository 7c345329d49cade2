import type { Redis } from 'ioredis';
import { SLOTS } from './slot.ts';

/** The address of a cluster node. */
export interface ClusterAddress {
	readonly host: string;
	readonly port: number;
}

/** Which primary serves which slot. */
export interface ClusterTopology {
	/** For each slot, its primary's address as `host:port`; undefined if no primary serves the slot. */
	readonly owners: readonly (string | undefined)[];
	/** The primaries, by address as `host:port`. */
	readonly primaries: ReadonlyMap<string, ClusterAddress>;
}

/** Asks a node for the topology. Rejects if it is not a cluster node, or the connection fails. */
export async function readTopology(client: Redis): Promise<ClusterTopology> {
	const ranges = await client.cluster('SLOTS');
	const owners = Array.from<string | undefined>({ length: SLOTS });
	const primaries = new Map<string, ClusterAddress>();
	for (const [first, last, primary] of ranges) {
		if (primary === undefined) continue;
		const [host, port] = primary;
		// A node that does not know its own host leaves it out: use the host to which this client is connected.
		const address = { host: host || (client.options.host ?? 'localhost'), port };
		const name = `${address.host}:${address.port}`;
		primaries.set(name, address);
		owners.fill(name, first, last + 1);
	}
	return { owners, primaries };
}
