import type { Redis } from 'ioredis';
import { SLOTS } from './slot.ts';

/** Where a cluster node is. */
export interface ClusterAddress {
	readonly host: string;
	readonly port: number;
}

/** Which master serves which slot. */
export interface ClusterTopology {
	/** By slot: the address as `host:port`, or undefined where no master serves it. */
	readonly owners: readonly (string | undefined)[];
	readonly masters: ReadonlyMap<string, ClusterAddress>;
}

/** Asks a node which master serves which slot. Rejects when the node is no cluster node, or does not answer. */
export async function readTopology(client: Redis): Promise<ClusterTopology> {
	const ranges = await client.cluster('SLOTS');
	const owners = Array.from<string | undefined>({ length: SLOTS });
	const masters = new Map<string, ClusterAddress>();
	for (const [first, last, master] of ranges) {
		if (master === undefined) continue;
		const [host, port] = master;
		// A node that does not know its own address leaves it out: it is where it was reached.
		const address = { host: host || (client.options.host ?? 'localhost'), port };
		const name = `${address.host}:${address.port}`;
		masters.set(name, address);
		owners.fill(name, first, last + 1);
	}
	return { owners, masters };
}
