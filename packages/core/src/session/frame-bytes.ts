/** A frame's payload, in any form that the application can choose with `binaryType`. */
export type FramePayload = string | { readonly byteLength: number } | { readonly size: number };

/** The memory that a waiting frame takes in addition to its payload, in bytes. Measured: about 60 for text. */
const FRAME_OVERHEAD = 64;

/** Returns the size of a payload on the wire, in bytes. */
export function wireBytes(payload: FramePayload): number {
	if (typeof payload === 'string') return Buffer.byteLength(payload);
	return 'byteLength' in payload ? payload.byteLength : payload.size;
}

/** Whether a payload has more bytes on the wire than `limit`. */
export function isLongerThan(payload: FramePayload, limit: number): boolean {
	// UTF-8 has at least one byte for each UTF-16 unit, and at most three.
	if (typeof payload === 'string' && 3 * payload.length <= limit) return false;
	return wireBytes(payload) > limit;
}

/** Returns the memory that a waiting frame takes, in bytes: two per character of text that is not all ASCII. */
export function memoryBytes(payload: FramePayload): number {
	const bytes = wireBytes(payload);
	if (typeof payload !== 'string' || bytes === payload.length) return bytes + FRAME_OVERHEAD;
	return 2 * payload.length + FRAME_OVERHEAD;
}
