import type { MessagePosition } from './position.ts';

/**
 * The binary frame that carries bytes published to a topic with history:
 *
 * ```text
 * magic (8 bytes: 00 6F 72 69 6A 73 00 01)  length (u16, big-endian)  head (JSON of that many bytes)  payload
 * ```
 *
 * Bytes published to other topics are sent as they are; the magic distinguishes the two.
 */
const MAGIC_START = 0x00_6f_72_69;
const MAGIC_END = 0x6a_73_00_01;
const LENGTH_AT = 8;
const HEAD_AT = 10;

/** The head of a binary frame, which describes its payload. */
export interface BinaryHead {
	readonly topic: string;
	/** When the bytes were stored, in milliseconds since the epoch, by the backend's clock. */
	readonly timestamp: number;
	readonly position: MessagePosition;
}

export function encodeBinaryFrame({ topic, timestamp, position }: BinaryHead, payload: Uint8Array): Uint8Array {
	const head = new TextEncoder().encode(JSON.stringify({ topic, timestamp, position } satisfies BinaryHead));
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
	if (bytes.byteLength < HEAD_AT) return undefined;
	const view = new DataView(bytes);
	if (view.getUint32(0) !== MAGIC_START || view.getUint32(4) !== MAGIC_END) return undefined;
	const end = HEAD_AT + view.getUint16(LENGTH_AT);
	try {
		const head = JSON.parse(new TextDecoder().decode(bytes.slice(HEAD_AT, end))) as BinaryHead;
		if (typeof head.topic === 'string') return { head, payload: bytes.slice(end) };
	} catch {
		// The head is not JSON.
	}
	return undefined;
}
