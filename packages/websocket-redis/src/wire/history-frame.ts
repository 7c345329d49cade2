/**
 * The binary form of a slice of a topic's history, as written by the scripts on the server; numbers are big-endian:
 *
 * ```text
 * frame   = marker (u8: 'H')  version (u8: 1)  length (u8)  epoch (ASCII)  last (f64)  begin  entry*
 * begin   = length (u8)  store (ASCII)  after (f64)     or a length of 0 if there is no beginning
 * entry   = offset (f64)  prev (f64)  timestamp (f64, ms since the epoch)  length (u32)  content
 * content = kind (u8: 'T' text as UTF-8, 'B' bytes)  the text or bytes
 * ```
 *
 * The marker distinguishes these frames from those that nodes write, which begin with a version.
 */

import type { Beginning, HistoryContent, HistoryEntry, HistorySlice } from '@orijs/websocket';

export const HISTORY_MARKER = 0x48;
export const HISTORY_VERSION = 1;

const EPOCH_AT = 3;
const ENTRY_BYTES = 28;
const TEXT = 0x54;
const BYTES = 0x42;

/** Decodes a frame; returns undefined if it is not a valid history. Bytes in the slice are views of the frame. */
export function decodeHistory(frame: Buffer): HistorySlice | undefined {
	if (frame.length < EPOCH_AT || frame[0] !== HISTORY_MARKER || frame[1] !== HISTORY_VERSION) return undefined;
	const epochEnd = EPOCH_AT + (frame[2] ?? 0);
	const storeAt = epochEnd + 9;
	if (epochEnd === EPOCH_AT || storeAt > frame.length) return undefined;
	const last = frame.readDoubleBE(epochEnd);
	if (!isOffset(last)) return undefined;

	const storeEnd = storeAt + (frame[storeAt - 1] ?? 0);
	let at = storeEnd;
	let beginning: Beginning | undefined;
	if (storeEnd > storeAt) {
		at += 8;
		if (at > frame.length) return undefined;
		beginning = { store: frame.toString('latin1', storeAt, storeEnd), after: frame.readDoubleBE(storeEnd) };
		if (!isOffset(beginning.after)) return undefined;
	}

	const entries: HistoryEntry[] = [];
	let before: number | undefined;
	while (at < frame.length) {
		const contentAt = at + ENTRY_BYTES;
		if (contentAt > frame.length) return undefined;
		const offset = frame.readDoubleBE(at);
		const prev = frame.readDoubleBE(at + 8);
		const timestamp = frame.readDoubleBE(at + 16);
		const end = contentAt + frame.readUInt32BE(at + 24);
		if (end > frame.length || !isOffset(prev) || !isOffset(offset) || !(timestamp >= 0)) return undefined;
		if (offset <= prev || offset > last || (before !== undefined && before !== prev)) return undefined;
		const content = readContent(frame, contentAt, end);
		if (content === undefined) return undefined;
		entries.push({ offset, prev, timestamp, content });
		before = offset;
		at = end;
	}
	return { epoch: frame.toString('latin1', EPOCH_AT, epochEnd), beginning, last, entries };
}

function isOffset(value: number): boolean {
	return value >= 0 && Number.isSafeInteger(value);
}

function readContent(frame: Buffer, at: number, end: number): HistoryContent | undefined {
	if (at === end) return undefined;
	switch (frame[at]) {
		case TEXT:
			return frame.toString('utf8', at + 1, end);
		case BYTES:
			return new Uint8Array(frame.buffer, frame.byteOffset + at + 1, end - at - 1);
		default:
			return undefined;
	}
}

/** Encodes a message for storage on the server. */
export function encodeContent(content: HistoryContent): string | Buffer {
	if (typeof content === 'string') return `T${content}`;
	const bytes = Buffer.allocUnsafe(content.length + 1);
	bytes[0] = BYTES;
	bytes.set(content, 1);
	return bytes;
}
