/**
 * Encodes a client's text frame. Its mask is zero, which saves the client some work, while unmasking costs the server
 * the same as with any mask.
 */
export function clientFrame(text: string): Buffer {
	const payload = Buffer.from(text);
	const length = payload.length;
	if (length > 0xffff) throw new RangeError('Client frames are limited to 65,535 bytes');
	const header = length < 126 ? [0x81, 0x80 | length] : [0x81, 0x80 | 126, length >> 8, length & 0xff];
	return Buffer.concat([Buffer.from([...header, 0, 0, 0, 0]), payload]);
}

/** What a client offers to its server. */
export interface ClientOffer {
	/** Whether it offers permessage-deflate, as browsers do. Default false. */
	readonly compresses?: boolean | undefined;
	/** Whether it offers no subprotocol. Default: it offers that of this system's protocol. */
	readonly isPlain?: boolean | undefined;
}

/** Returns the HTTP upgrade request. The key can be any 16 bytes. */
export function handshake(port: number, path: string, { compresses, isPlain }: ClientOffer = {}): string {
	return [
		`GET ${path} HTTP/1.1`,
		`Host: 127.0.0.1:${port}`,
		'Upgrade: websocket',
		'Connection: Upgrade',
		'Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==',
		'Sec-WebSocket-Version: 13',
		// Servers other than those of OriJS ignore it, or confirm it because it is the only one.
		...(isPlain ? [] : ['Sec-WebSocket-Protocol: orijs.1']),
		...(compresses ? ['Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits'] : []),
		'\r\n',
	].join('\r\n');
}

/** An empty pong from a client. */
export const PONG: Buffer = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

const FIRST_OF_LENGTH = 1;
/** The values of the second byte that announce a length in the next two or eight bytes. */
const TWO_MORE = 126;
const EIGHT_MORE = 127;

/** Counts a server's frames in a stream that can be split anywhere. */
export class FrameCounter {
	/** The number of header bytes read so far; 0 between frames. */
	#header = 0;
	#headerBytes = 2;
	#length = 0;
	/** The number of payload bytes still missing. */
	#payload = 0;

	/** Returns how many frames this chunk completes. */
	countIn(chunk: Uint8Array): number {
		let count = 0;
		for (let at = 0; at < chunk.length;) {
			if (this.#payload === 0) {
				this.#readHeader(chunk[at++] as number);
				if (this.#header > 0) continue;
			} else {
				const part = Math.min(this.#payload, chunk.length - at);
				this.#payload -= part;
				at += part;
			}
			if (this.#payload === 0) count++;
		}
		return count;
	}

	/** Reads a byte of the header. When the header is complete, sets the payload length and resets the header. */
	#readHeader(byte: number): void {
		if (this.#header === FIRST_OF_LENGTH) {
			this.#headerBytes = byte === EIGHT_MORE ? 10 : byte === TWO_MORE ? 4 : 2;
			this.#length = this.#headerBytes === 2 ? byte : 0;
		} else if (this.#header > FIRST_OF_LENGTH) {
			this.#length = this.#length * 256 + byte;
		}
		if (++this.#header < this.#headerBytes) return;
		this.#payload = this.#length;
		this.#header = 0;
		this.#headerBytes = 2;
	}
}
