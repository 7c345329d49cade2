/** Frame types; see RFC 6455, 5.2. */
export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameOptions {
	readonly opcode?: number;
	/** Whether this is the message's last frame. */
	readonly fin?: boolean;
	/** The three reserved bits, as a number from 0 to 7. */
	readonly reservedBits?: number;
	/** Whether the payload is masked, as a client's frames must be. */
	readonly masked?: boolean;
	/** The length given in the header. Default: the payload's length. */
	readonly length?: bigint;
}

const MASK = [0x12, 0x34, 0x56, 0x78];

/** Encodes a WebSocket frame: by default a valid one, as sent by a client. The options can make it invalid. */
export function frame(
	payload: string | Uint8Array,
	{ opcode = Opcode.text, fin = true, reservedBits = 0, masked = true, length }: FrameOptions = {},
): Buffer {
	const bytes = Buffer.from(payload);
	const first = (fin ? 0x80 : 0) | (reservedBits << 4) | opcode;
	const header = [first, ...lengthBytes(length ?? BigInt(bytes.length))];
	if (!masked) return Buffer.concat([Buffer.from(header), bytes]);
	header[1] = (header[1] ?? 0) | 0x80;
	for (let i = 0; i < bytes.length; i++) bytes[i] = (bytes[i] ?? 0) ^ (MASK[i % 4] ?? 0);
	return Buffer.concat([Buffer.from([...header, ...MASK]), bytes]);
}

function lengthBytes(length: bigint): number[] {
	if (length < 126n) return [Number(length)];
	const isShort = length < 65_536n;
	const bytes = Buffer.alloc(8);
	bytes.writeBigUInt64BE(length);
	return [isShort ? 126 : 127, ...bytes.subarray(isShort ? 6 : 0)];
}

export interface ReadFrame {
	readonly opcode: number;
	/** Whether the payload is compressed by permessage-deflate; see RFC 7692, 6. */
	readonly isCompressed: boolean;
	readonly payload: Buffer;
}

/** Reads the server's complete frames from the start of the received bytes; `rest` is the beginning of the next one. */
export function readFrames(received: Buffer): { readonly frames: ReadFrame[]; readonly rest: Buffer } {
	const frames: ReadFrame[] = [];
	let rest = received;
	for (;;) {
		const short = (rest[1] ?? 0) & 0x7f;
		const head = short === 127 ? 10 : short === 126 ? 4 : 2;
		if (rest.length < head) return { frames, rest };
		const length = short === 127 ? Number(rest.readBigUInt64BE(2)) : short === 126 ? rest.readUInt16BE(2) : short;
		if (rest.length < head + length) return { frames, rest };
		const first = rest[0] ?? 0;
		frames.push({
			opcode: first & 0x0f,
			isCompressed: (first & 0x40) !== 0,
			payload: rest.subarray(head, head + length),
		});
		rest = rest.subarray(head + length);
	}
}
