import type { MessagePosition } from './position.ts';

/**
 * The binary frame that carries bytes published to a topic with history, and other bytes that begin like such a frame:
 *
 * ```text
 * magic (8 bytes: 00 6F 72 69 6A 73 00 01)  length (u16, big-endian)  head (JSON of that many bytes)  payload
 * ```
 *
 * All other bytes are sent as they are; the magic distinguishes the two.
 */
const MAGIC_START = 0x00_6f_72_69;
const MAGIC_END = 0x6a_73_00_01;
const LENGTH_AT = 8;
const HEAD_AT = 10;

/** The head of a binary frame, which describes its payload. */
export interface BinaryHead {
	/** Absent, as is the position, unless the bytes are of a topic with history. */
	readonly topic?: string;
	/** When the bytes were stored or sent, in milliseconds since the epoch, by the backend's or the server's clock. */
	readonly timestamp: number;
	readonly position?: MessagePosition;
}

/** Returns whether bytes begin like a binary frame. */
export function hasMagic(bytes: ArrayBuffer | ArrayBufferView): boolean {
	if (bytes.byteLength < LENGTH_AT) return false;
	// The most common case needs no view.
	if (bytes instanceof Uint8Array && bytes[0] !== 0) return false;
	const view = ArrayBuffer.isView(bytes) ? new DataView(bytes.buffer, bytes.byteOffset) : new DataView(bytes);
	return view.getUint32(0) === MAGIC_START && view.getUint32(4) === MAGIC_END;
}

export function encodeBinaryFrame({ topic, timestamp, position }: BinaryHead, payload: Uint8Array): Uint8Array {
	const head = new TextEncoder().encode(JSON.stringify({ topic, timestamp, position }));
	const frame = new Uint8Array(HEAD_AT + head.length + payload.length);
	const view = new DataView(frame.buffer);
	view.setUint32(0, MAGIC_START);
	view.setUint32(4, MAGIC_END);
	view.setUint16(LENGTH_AT, head.length);
	frame.set(head, HEAD_AT);
	frame.set(payload, HEAD_AT + head.length);
	return frame;
}

/** Reads a binary frame, with a copy of its payload. Returns undefined if the bytes are not such a frame. */
export function readBinaryFrame(
	bytes: ArrayBuffer,
): { readonly head: BinaryHead; readonly payload: ArrayBuffer } | undefined {
	if (!hasMagic(bytes)) return undefined;
	try {
		const end = HEAD_AT + new DataView(bytes).getUint16(LENGTH_AT);
		const head = JSON.parse(new TextDecoder().decode(bytes.slice(HEAD_AT, end))) as BinaryHead;
		if (typeof head.timestamp === 'number') return { head, payload: bytes.slice(end) };
	} catch {
		// The head is missing or not JSON.
	}
	return undefined;
}

/** Returns a view of the payload of a valid binary frame. */
export function payloadOf(frame: Uint8Array): Uint8Array {
	return frame.subarray(HEAD_AT + new DataView(frame.buffer, frame.byteOffset).getUint16(LENGTH_AT));
}
