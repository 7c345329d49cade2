import type { PresenceLease, PresenceState, StoredMember } from '@orijs/websocket';
import { FORMAT, LEASE_BYTES, LINGER_BYTES, RECORD_BYTES, STATE, STATE_BYTES } from './layout.ts';
import { readLease } from './lease-bytes.ts';

const LEASE_FIELD_BYTES = 3;
/** Where a lease holds the number of its records. */
const RECORDS_OFFSET = 24;

/** The state of a topic, as it is stored: see `layout.ts`. */
export interface StoredState extends PresenceState {
	/** The leases that have records in the topic, or had some lately, by the numbers with which records name them. */
	readonly leases: ReadonlyMap<number, PresenceLease>;
	/** Those that have records. */
	readonly inUse: readonly PresenceLease[];
}

const NOTHING: StoredState = { version: undefined, count: 0, leases: new Map(), inUse: [] };

/** Fields with their values. */
export type Entry = readonly [field: Buffer, value: Buffer | null];

/** Decodes the state of a topic, with the leases among its entries. What can't be read is like nothing. */
export function readState(bytes: Buffer | null, entries: readonly Entry[]): StoredState {
	if (bytes === null || bytes.length < STATE_BYTES || bytes[0] !== FORMAT) return NOTHING;
	const leases = new Map<number, PresenceLease>();
	const inUse: PresenceLease[] = [];
	for (const [field, value] of entries) {
		if (field[0] !== STATE || field.length !== LEASE_FIELD_BYTES || value?.length !== LEASE_BYTES) continue;
		const lease = readLease(value);
		leases.set(field.readUInt16BE(1), lease);
		if (value.readUInt32BE(RECORDS_OFFSET) > 0) inUse.push(lease);
	}
	const n = bytes.readUIntBE(9, 6);
	const version = n === 0 ? undefined : { epoch: bytes.toString('latin1', 1, 9), n };
	return { version, count: bytes.readUInt32BE(15), leases, inUse };
}

/** Decodes a member; undefined if it can't be read. */
export function readMember(key: Buffer, value: Buffer | null, { leases }: StoredState): StoredMember | undefined {
	if (value === null || value[0] !== FORMAT || value.length === 1) return undefined;
	let connections = 0;
	let since = Infinity;
	let infoFrom = 0;
	let infoTo = 0;
	let latest = -1;
	let isLive = false;
	const nodes: PresenceLease[] = [];
	for (let at = 1; at < value.length;) {
		if (value.length < at + RECORD_BYTES) return undefined;
		const lingers = value.readUInt8(at);
		const lease = leases.get(value.readUInt16BE(at + 1));
		const length = value.readUInt16BE(at + 19);
		if (lingers > 1 || lease === undefined) return undefined;
		nodes.push(lease);
		// Records that linger count only if none is live.
		const counts = lingers === 0 || !isLive;
		if (lingers === 0 && !isLive) {
			isLive = true;
			[connections, since, latest] = [0, Infinity, -1];
		}
		if (counts) {
			connections += value.readUInt32BE(at + 3);
			since = Math.min(since, value.readUIntBE(at + 7, 6));
		}
		const set = value.readUIntBE(at + 13, 6);
		const from = at + RECORD_BYTES + (lingers === 1 ? LINGER_BYTES : 0);
		at = from + Math.max(0, length - 1);
		if (counts && set > latest) {
			latest = set;
			// An empty info stands for none.
			infoFrom = from;
			infoTo = at;
		}
		if (at > value.length) return undefined;
	}
	const info = infoTo > infoFrom ? value.toString('utf8', infoFrom, infoTo) : undefined;
	return { key: key.toString(), connections, since, info, nodes };
}

/** Returns entries from fields and values, one after the other. */
export function entriesOf(flat: readonly (Buffer | null)[]): Entry[] {
	const entries: Entry[] = [];
	for (let i = 0; i + 1 < flat.length; i += 2) entries.push([flat[i] as Buffer, flat[i + 1] ?? null]);
	return entries;
}

/** Returns the entries that are not the state or leases. */
export function membersOf(entries: readonly Entry[]): Entry[] {
	return entries.filter(([field]) => field[0] !== STATE);
}

/** Returns those after a key, sorted. @param after a key, or an empty text */
export function sortedAfter(entries: readonly Entry[], after: string | Buffer): Entry[] {
	const from = typeof after === 'string' ? Buffer.from(after) : after;
	const following = from.length === 0 ? entries : entries.filter(([key]) => key.compare(from) > 0);
	return following.toSorted(([a], [b]) => a.compare(b));
}
