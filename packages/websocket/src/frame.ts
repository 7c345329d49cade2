/**
 * The binary form of messages between nodes:
 *
 * ```text
 * frame   = version (1 byte) origin (16 bytes, the publishing node) message*
 * message = kind (1 byte: 0 text, 1 binary) length (4 bytes, big-endian) payload
 * ```
 */

const VERSION = 1;
const ORIGIN_BYTES = 16;
const HEADER_BYTES = 1 + ORIGIN_BYTES;
const MESSAGE_HEADER_BYTES = 5;
const TEXT = 0;
const BINARY = 1;

/** A node's identity on the bus: 16 random bytes. */
export type Origin = Uint8Array;

export function randomOrigin(): Origin {
	return crypto.getRandomValues(new Uint8Array(ORIGIN_BYTES));
}

export function encodeFrame(origin: Origin, messages: readonly (string | Uint8Array)[]): Buffer {
	let size = HEADER_BYTES;
	for (const message of messages) {
		size += MESSAGE_HEADER_BYTES + (typeof message === 'string' ? Buffer.byteLength(message) : message.byteLength);
	}
	const frame = Buffer.allocUnsafe(size);
	frame[0] = VERSION;
	frame.set(origin, 1);
	let at = HEADER_BYTES;
	for (const message of messages) {
		const start = at + MESSAGE_HEADER_BYTES;
		let length: number;
		if (typeof message === 'string') {
			frame[at] = TEXT;
			length = frame.write(message, start);
		} else {
			frame[at] = BINARY;
			length = message.byteLength;
			frame.set(message, start);
		}
		frame.writeUInt32BE(length, at + 1);
		at = start + length;
	}
	return frame;
}

/** Why a frame can't be read: written by another release, or not written by this system at all. */
export type FrameFault = 'unknown-version' | 'malformed';

/** What a frame holds: its messages, nothing when this node published it itself, or why it can't be read. */
export function decodeFrame(bytes: Uint8Array, self: Origin): readonly (string | Uint8Array)[] | 'echo' | FrameFault {
	if (bytes.length === 0) return 'malformed';
	if (bytes[0] !== VERSION) return 'unknown-version';
	if (bytes.length < HEADER_BYTES) return 'malformed';
	if (isFrom(self, bytes)) return 'echo';

	const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const messages: (string | Uint8Array)[] = [];
	let at = HEADER_BYTES;
	while (at < frame.length) {
		const start = at + MESSAGE_HEADER_BYTES;
		if (start > frame.length) return 'malformed';
		const kind = frame[at];
		const end = start + frame.readUInt32BE(at + 1);
		if (end > frame.length) return 'malformed';
		if (kind === TEXT) messages.push(frame.toString('utf8', start, end));
		else if (kind === BINARY) messages.push(frame.subarray(start, end));
		else return 'malformed';
		at = end;
	}
	return messages;
}

function isFrom(origin: Origin, frame: Uint8Array): boolean {
	for (let i = 0; i < ORIGIN_BYTES; i++) if (frame[1 + i] !== origin[i]) return false;
	return true;
}
