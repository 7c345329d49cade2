/** A message's content. A string arrives as a text frame, anything else as a binary frame with the same bytes. */
export type Payload = string | ArrayBuffer | ArrayBufferView;

export function isPayload(value: unknown): value is Payload {
	if (typeof value === 'string') return true;
	const buffer = ArrayBuffer.isView(value) ? value.buffer : value;
	// A detached buffer has lost its bytes, and must not be mistaken for an empty one.
	return buffer instanceof ArrayBuffer ? !buffer.detached : buffer instanceof SharedArrayBuffer && buffer !== value;
}

/** Returns the payload's text, or a copy of its bytes: the caller may change those once `publish` has returned. */
export function snapshot(payload: Payload): string | Uint8Array {
	if (typeof payload === 'string') return payload;
	if (payload instanceof ArrayBuffer) return new Uint8Array(payload.slice(0));
	return new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength).slice();
}

/** Returns the payload's size in bytes. */
export function size(payload: Payload): number {
	return typeof payload === 'string' ? Buffer.byteLength(payload) : payload.byteLength;
}

/** Returns the payload's size in bytes; for a string a lower bound, its number of UTF-16 units. */
export function roughSize(payload: Payload): number {
	return typeof payload === 'string' ? payload.length : payload.byteLength;
}
