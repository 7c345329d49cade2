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
