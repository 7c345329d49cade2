/**
 * A digest frame. The backend makes it from what nodes have given it with their beats, only by putting bytes together;
 * numbers are big-endian:
 *
 * ```text
 * digest = header (32 bytes, from the node whose beat caused it)  kind (u8: 0 all nodes, 1 single nodes)  entries
 * header = the header of all frames, type 4 (16 bytes)  leastSkew (f64, ms)  mostSkew (f64, ms)
 * entry  = from the node (28 bytes):    origin (u56)  number (u32)  incarnation (u24)  sentAt (u48, ms since the epoch)
 *                                       pause (u16, 10 ms)  connections (u24)  topics (u24)
 *          from the server (3 bytes):   age (u16, 10 ms)  run (u8)
 * ```
 *
 * `age` is the time since the server recorded the beat, rounded down; `run` is how many consecutive numbers end with
 * `number`, see {@link BeatStore.beat}; `pause` is the time between the node's last two beats that were accepted. All
 * of them, and the counts, are capped at the largest value. A digest of more than {@link MAX_DIGEST_ENTRIES} nodes is
 * several frames.
 */

import type { Skews } from './skews.ts';

/** The most entries of one frame. */
export const MAX_DIGEST_ENTRIES = 1_000;

/** The size of what a node gives of its own entry, in bytes. The server appends 3 bytes. */
export const ENTRY_BYTES = 28;
const WHOLE_ENTRY_BYTES = ENTRY_BYTES + 3;

/** What a node says with its beat, for digests. */
export interface OwnEntry {
	readonly origin: number;
	/** The number of the beat. */
	readonly number: number;
	readonly incarnation: number;
	/** When the beat was sent, in milliseconds since the epoch, by the node's clock. */
	readonly sentAt: number;
	/** The time between this beat and the one before that was accepted, in milliseconds. */
	readonly pauseMs: number;
	readonly counts: Counts;
}

/** How much a node has to do. */
export interface Counts {
	/** The number of its sockets. */
	readonly connections: number;
	/** The number of topics that its sockets are in. */
	readonly topics: number;
}

/** What the server of a shard knows about a node. */
export interface DigestEntry extends OwnEntry {
	/** The time since the server accepted the beat, in milliseconds. */
	readonly ageMs: number;
	/** How many consecutive numbers that the server accepted end with `number`. At most {@link MAX_RUN}. */
	readonly run: number;
}

/** A longer run is given as this long. */
export const MAX_RUN = 255;

export interface DigestContent {
	/** The skews of the node whose beat caused the digest. */
	readonly skews: Skews;
	/** Whether this is a part of a digest of all nodes. */
	readonly isFull: boolean;
	readonly entries: readonly DigestEntry[];
}

const MAX_U16 = 0xffff;
const MAX_U24 = 0xffffff;

export function encodeEntry({ origin, number, incarnation, sentAt, pauseMs, counts }: OwnEntry): Buffer {
	const entry = Buffer.allocUnsafe(ENTRY_BYTES);
	// A Buffer writes integers of at most 48 bits.
	entry[0] = Math.floor(origin / 2 ** 48);
	entry.writeUIntBE(origin % 2 ** 48, 1, 6);
	entry.writeUInt32BE(number, 7);
	entry.writeUIntBE(Math.min(incarnation, MAX_U24), 11, 3);
	entry.writeUIntBE(sentAt, 14, 6);
	entry.writeUInt16BE(Math.min(Math.floor(pauseMs / 10), MAX_U16), 20);
	entry.writeUIntBE(Math.min(counts.connections, MAX_U24), 22, 3);
	entry.writeUIntBE(Math.min(counts.topics, MAX_U24), 25, 3);
	return entry;
}

/** Encodes what a digest frame consists of after its header. Used by buses that make digests in this process. */
export function encodeDigestBody(
	isFull: boolean,
	entries: readonly { readonly entry: Uint8Array; readonly ageMs: number; readonly run: number }[],
): Buffer {
	const body = Buffer.allocUnsafe(1 + entries.length * WHOLE_ENTRY_BYTES);
	body[0] = isFull ? 0 : 1;
	let at = 1;
	for (const { entry, ageMs, run } of entries) {
		body.set(entry, at);
		body.writeUInt16BE(Math.min(Math.max(Math.floor(ageMs / 10), 0), MAX_U16), at + ENTRY_BYTES);
		body[at + ENTRY_BYTES + 2] = Math.min(run, MAX_RUN);
		at += WHOLE_ENTRY_BYTES;
	}
	return body;
}

/** Reads a digest after the header of all frames, which ends at `offset`; undefined if it is malformed. */
export function readDigest(frame: Buffer, offset: number): DigestContent | undefined {
	const first = offset + 17;
	if (frame.length < first || (frame.length - first) % WHOLE_ENTRY_BYTES !== 0) return undefined;
	const kind = frame[offset + 16];
	if (kind !== 0 && kind !== 1) return undefined;
	const entries: DigestEntry[] = [];
	for (let at = first; at < frame.length; at += WHOLE_ENTRY_BYTES) entries.push(readEntry(frame, at));
	return {
		skews: { least: frame.readDoubleBE(offset), most: frame.readDoubleBE(offset + 8) },
		isFull: kind === 0,
		entries,
	};
}

function readEntry(frame: Buffer, at: number): DigestEntry {
	return {
		origin: (frame[at] ?? 0) * 2 ** 48 + frame.readUIntBE(at + 1, 6),
		number: frame.readUInt32BE(at + 7),
		incarnation: frame.readUIntBE(at + 11, 3),
		sentAt: frame.readUIntBE(at + 14, 6),
		pauseMs: frame.readUInt16BE(at + 20) * 10,
		counts: { connections: frame.readUIntBE(at + 22, 3), topics: frame.readUIntBE(at + 25, 3) },
		ageMs: frame.readUInt16BE(at + ENTRY_BYTES) * 10,
		run: frame[at + ENTRY_BYTES + 2] ?? 0,
	};
}
