/** A text frame as a client sends it. The mask is zero: masking is the client's cost, unmasking costs the server the same. */
export function clientFrame(text: string): Buffer {
	const payload = Buffer.from(text);
	const length = payload.length;
	if (length > 0xffff) throw new RangeError('Frames of the bench are at most 65,535 bytes');
	const header = length < 126 ? [0x81, 0x80 | length] : [0x81, 0x80 | 126, length >> 8, length & 0xff];
	return Buffer.concat([Buffer.from([...header, 0, 0, 0, 0]), payload]);
}

/** The request that makes a connection a WebSocket. The key is any 16 bytes. */
export function handshake(port: number, path: string): string {
	return [
		`GET ${path} HTTP/1.1`,
		`Host: 127.0.0.1:${port}`,
		'Upgrade: websocket',
		'Connection: Upgrade',
		'Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==',
		'Sec-WebSocket-Version: 13',
		'\r\n',
	].join('\r\n');
}

/** An empty pong, as a client sends it. */
export const PONG: Buffer = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

const FIRST_OF_LENGTH = 1;
/** The length is in the second byte, or in two or eight more. */
const TWO_MORE = 126;
const EIGHT_MORE = 127;

/** Counts the frames that a server sends, in whatever pieces they come. */
export class FrameCounter {
	/** Bytes of the header read so far; 0 between frames. */
	#header = 0;
	#headerBytes = 2;
	#length = 0;
	/** Bytes of the payload that are still to come. */
	#payload = 0;

	/** How many frames came to their end with this. */
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

	/** Leaves the header at 0 and the length of the payload known, once it is whole. */
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
