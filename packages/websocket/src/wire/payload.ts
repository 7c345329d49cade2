/** A message's content. A string arrives as a text frame, anything else as a binary frame with the same bytes. */
export type Payload = string | ArrayBuffer | ArrayBufferView;

export function isPayload(value: unknown): value is Payload {
	if (typeof value === 'string') return true;
	const buffer = ArrayBuffer.isView(value) ? value.buffer : value;
	// What has lost its bytes must not be mistaken for something empty.
	if (buffer instanceof ArrayBuffer)
		return !buffer.detached && !(buffer.resizable && buffer !== value && isOutOfBounds(value as ArrayBufferView));
	return buffer instanceof SharedArrayBuffer && buffer !== value;
}

/** Returns whether a view's buffer has become shorter than the view. A typed array then looks like an empty one. */
function isOutOfBounds(view: ArrayBufferView): boolean {
	try {
		// Both throw if it is.
		if (view instanceof DataView) return view.byteLength < 0;
		(view as Uint8Array).keys();
		return false;
	} catch {
		return true;
	}
}

/**
 * Returns the payload's text, or a copy of its bytes, because the caller may change the bytes once `publish` has
 * returned.
 */
export function snapshot(payload: Payload): string | Uint8Array {
	if (typeof payload === 'string') return payload;
	if (payload instanceof ArrayBuffer) return new Uint8Array(payload.slice(0));
	return new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength).slice();
}

/** Returns the payload's size in bytes. */
export function size(payload: Payload): number {
	return typeof payload === 'string' ? Buffer.byteLength(payload) : payload.byteLength;
}

/** Returns the payload's size in bytes. For a string, returns a lower bound: its number of UTF-16 units. */
export function roughSize(payload: Payload): number {
	return typeof payload === 'string' ? payload.length : payload.byteLength;
}
