import { constants, deflateRawSync } from 'node:zlib';
import { frame, type FrameOptions, Opcode, type RawWebSocket } from '@orijs/testkit';
import { connectRawWebSocket } from './raw-web-socket.ts';

/** The offer of browsers. */
const OFFER = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' };

/** RSV1, which marks compressed messages. */
const COMPRESSED = 4;
/** The length of what is left out at the end of a compressed message (RFC 7692, 7.2.1). */
const END_BYTES = 4;

/** Connects a client that speaks the protocol and offers permessage-deflate, until the test ends. */
export function connectDeflating(at: number | string, path = '/ws'): Promise<RawWebSocket> {
	return connectRawWebSocket(at, { path, headers: OFFER });
}

/** Like {@link connectDeflating}, but the connection is plain. */
export function connectDeflatingPlain(at: number | string, path = '/ws'): Promise<RawWebSocket> {
	return connectRawWebSocket(at, { path, headers: { ...OFFER, 'Sec-WebSocket-Protocol': 'none' } });
}

/** Compresses a message as far as possible: zeros, to a thousandth of their size. */
export function deflated(message: string | Uint8Array): Buffer {
	const bytes = deflateRawSync(message, { level: 9, finishFlush: constants.Z_SYNC_FLUSH });
	return bytes.subarray(0, -END_BYTES);
}

/** Encodes a client's frame with a compressed message. */
export function deflatedFrame(message: string | Uint8Array, options: FrameOptions = {}): Buffer {
	const opcode = typeof message === 'string' ? Opcode.text : Opcode.binary;
	return frame(deflated(message), { opcode, reservedBits: COMPRESSED, ...options });
}
