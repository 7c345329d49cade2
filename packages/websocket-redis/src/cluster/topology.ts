import { createHash } from 'node:crypto';
import type { NatMap, Redis } from 'ioredis';
import { SLOTS } from './slot.ts';

/** The address of a cluster node. */
export interface ClusterAddress {
	readonly host: string;
	readonly port: number;
}

/** Returns an address as `host:port`. */
export function addressName({ host, port }: ClusterAddress): string {
	return `${host}:${port}`;
}

/** Describes which primary serves which slot. */
export interface ClusterTopology {
	/** For each slot, its primary's address as `host:port`; undefined if no primary serves the slot. */
	readonly owners: readonly (string | undefined)[];
	/** The primaries, by address as `host:port`. */
	readonly primaries: ReadonlyMap<string, ClusterAddress>;
	/** See {@link topologyName}. */
	readonly name: string;
}

/** A range of slots, as CLUSTER SLOTS lists it: the first, the last, and the primary's host, if known, and port. */
type SlotRange = readonly [first: number, last: number, primary?: readonly [host: string | null, port: number]];

/** Names a topology by its content, as the script of beats does. */
function topologyName(ranges: readonly SlotRange[]): string {
	const lines = ranges.map(([first, last, primary]) => `${first}-${last} ${primary?.[0] ?? ''}:${primary?.[1] ?? 0}`);
	return createHash('sha1').update(lines.join('\n')).digest('hex');
}

/**
 * Asks a node for the topology. Rejects if it is not a cluster node, or the connection fails.
 *
 * @param natMap maps the addresses that the nodes announce to those at which this process reaches them
 */
export async function readTopology(client: Redis, natMap?: NatMap | null): Promise<ClusterTopology> {
	const ranges = await client.cluster('SLOTS');
	const owners = Array.from<string | undefined>({ length: SLOTS });
	const primaries = new Map<string, ClusterAddress>();
	for (const [first, last, primary] of ranges) {
		if (primary === undefined) continue;
		const [host, port] = primary;
		// A node that does not know its own host leaves it out: use the host to which this client is connected.
		const address = reachable({ host: host || (client.options.host ?? 'localhost'), port }, natMap);
		const name = addressName(address);
		primaries.set(name, address);
		owners.fill(name, first, last + 1);
	}
	return { owners, primaries, name: topologyName(ranges as unknown as readonly SlotRange[]) };
}

function reachable(announced: ClusterAddress, natMap: NatMap | null | undefined): ClusterAddress {
	const name = addressName(announced);
	const mapped = typeof natMap === 'function' ? natMap(name) : natMap?.[name];
	return mapped ? { host: mapped.host, port: mapped.port } : announced;
}
