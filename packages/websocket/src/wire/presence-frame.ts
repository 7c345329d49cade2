/**
 * The body of a presence frame, which tells of one change of a topic's members. The backend puts it together; numbers
 * are big-endian:
 *
 * ```text
 * presence = the header of all frames, type 7 (16 bytes, from the node whose change it is)
 *            flags (u8: 1 count only)  epoch (8 bytes, ASCII)  n (f64)  count (u32)  number of changes (u16)  changes
 * change   = kind (u8: 0 joined, 1 left, 2 updated)  connections (u32)  since (f64, ms since the epoch)
 *            length of the key (u16)  key (UTF-8)  length of the info plus 1 (u16; 0: none)  info (UTF-8)
 * ```
 *
 * The version before is that of the same epoch with n - 1. A frame that says only the count has no changes.
 */

const BODY_BYTES = 23;
const CHANGE_BYTES = 17;
const COUNT_ONLY = 1;
const EPOCH_BYTES = 8;

/** `joined`, `left` or `updated`, by the number in a frame. */
export const PRESENCE_KINDS = ['joined', 'left', 'updated'] as const;

export interface PresenceFrameChange {
	readonly kind: (typeof PRESENCE_KINDS)[number];
	readonly key: string;
	/** As it is now; for `left`, as it was. */
	readonly connections: number;
	/** In milliseconds since the epoch. */
	readonly since: number;
	/** A JSON object; undefined if the member has no info. */
	readonly info: string | undefined;
}

export interface PresenceContent {
	readonly epoch: string;
	readonly n: number;
	readonly count: number;
	/** Undefined if the frame says only the count. */
	readonly changes: readonly PresenceFrameChange[] | undefined;
}

/**
 * Encodes a whole frame. Used by stores in this process.
 *
 * @param header see `encodePresenceHeader`
 */
export function encodePresenceFrame(header: Uint8Array, { epoch, n, count, changes }: PresenceContent): Buffer {
	const body = header.length;
	const frame = Buffer.allocUnsafe(body + BODY_BYTES + sizeOf(changes));
	frame.set(header);
	frame[body] = changes === undefined ? COUNT_ONLY : 0;
	frame.write(epoch, body + 1, EPOCH_BYTES, 'latin1');
	frame.writeDoubleBE(n, body + 9);
	frame.writeUInt32BE(count, body + 17);
	frame.writeUInt16BE(changes?.length ?? 0, body + 21);
	let at = body + BODY_BYTES;
	for (const change of changes ?? []) at = writeChange(frame, at, change);
	return frame;
}

function sizeOf(changes: readonly PresenceFrameChange[] = []): number {
	let size = 0;
	for (const { key, info } of changes) size += CHANGE_BYTES + Buffer.byteLength(key) + Buffer.byteLength(info ?? '');
	return size;
}

/** Writes a change, and returns where it ends. */
function writeChange(frame: Buffer, at: number, { kind, key, connections, since, info }: PresenceFrameChange): number {
	frame[at] = PRESENCE_KINDS.indexOf(kind);
	frame.writeUInt32BE(connections, at + 1);
	frame.writeDoubleBE(since, at + 5);
	const keyBytes = frame.write(key, at + 15);
	frame.writeUInt16BE(keyBytes, at + 13);
	const infoAt = at + 15 + keyBytes;
	const infoBytes = info === undefined ? -1 : frame.write(info, infoAt + 2);
	frame.writeUInt16BE(infoBytes + 1, infoAt);
	return infoAt + 2 + Math.max(0, infoBytes);
}

/** Reads a change after the header of all frames, which ends at `offset`; undefined if it is malformed. */
export function readPresence(frame: Buffer, offset: number): PresenceContent | undefined {
	if (frame.length < offset + BODY_BYTES) return undefined;
	const isCountOnly = frame[offset] === COUNT_ONLY;
	const number = frame.readUInt16BE(offset + 21);
	const changes: PresenceFrameChange[] = [];
	let at = offset + BODY_BYTES;
	for (let i = 0; i < number; i++) {
		const kind = PRESENCE_KINDS[frame[at] ?? 255];
		if (kind === undefined || frame.length < at + CHANGE_BYTES) return undefined;
		const keyEnd = at + 15 + frame.readUInt16BE(at + 13);
		if (frame.length < keyEnd + 2) return undefined;
		const infoLength = frame.readUInt16BE(keyEnd) - 1;
		const end = keyEnd + 2 + Math.max(0, infoLength);
		if (frame.length < end) return undefined;
		changes.push({
			kind,
			connections: frame.readUInt32BE(at + 1),
			since: frame.readDoubleBE(at + 5),
			key: frame.toString('utf8', at + 15, keyEnd),
			info: infoLength < 0 ? undefined : frame.toString('utf8', keyEnd + 2, end),
		});
		at = end;
	}
	if (at !== frame.length) return undefined;
	return {
		epoch: frame.toString('latin1', offset + 1, offset + 1 + EPOCH_BYTES),
		n: frame.readDoubleBE(offset + 9),
		count: frame.readUInt32BE(offset + 17),
		changes: isCountOnly ? undefined : changes,
	};
}
