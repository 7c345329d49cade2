import { connect, type TcpNetConnectOpts } from 'node:net';
import { constants, inflateRawSync } from 'node:zlib';
import { until } from './until.ts';
import { frame, Opcode, type ReadFrame, readFrames } from './websocket-frames.ts';

/** A valid WebSocket handshake without the empty line that completes it. */
export const HANDSHAKE: string = [
	'GET /ws HTTP/1.1',
	'Host: localhost',
	'Connection: Upgrade',
	'Upgrade: websocket',
	'Sec-WebSocket-Version: 13',
	'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
	'',
].join('\r\n');

/** A WebSocket client that can leave pings unanswered, stop reading, and send invalid frames. */
export interface RawWebSocket {
	/** The extensions that the server has accepted; undefined if none. */
	readonly extensions: string | undefined;
	/** The text messages received so far, decompressed. */
	readonly texts: readonly string[];
	/** The frames of these messages, as they were received. */
	readonly textFrames: readonly ReadFrame[];
	/** The pings received so far. */
	readonly pings: number;
	/** The close frame; undefined until it is received. */
	readonly close: { readonly code: number; readonly reason: string } | undefined;
	/** Whether the connection has ended. */
	readonly isClosed: boolean;
	/** Whether everything sent has been passed to the kernel. */
	readonly isFlushed: boolean;
	/** Sends raw bytes. */
	write(bytes: Uint8Array): void;
	/** Sends a text message. */
	send(text: string): void;
	/** Stops reading. */
	pause(): void;
	/** Resumes reading. */
	resume(): void;
	/** Resolves once the connection has ended. */
	closed(): Promise<void>;
	/** Drops the connection without a close frame. */
	end(): void;
}

export interface RawWebSocketOptions {
	/** The path of the endpoint; default `/ws`. */
	readonly path?: string;
	/** Headers to add to the handshake. */
	readonly headers?: Readonly<Record<string, string>>;
	/** Whether it answers pings; default false. */
	readonly answersPings?: boolean;
	/** The address to connect from; default: any. */
	readonly localAddress?: string;
}

/** What the sender of a compressed message leaves out at its end (RFC 7692, 7.2.1). */
const END_OF_MESSAGE = Buffer.from([0, 0, 0xff, 0xff]);
const SYNC_FLUSH = { finishFlush: constants.Z_SYNC_FLUSH };

const CLOSE_TIMEOUT_MS = 15_000;

/** Decodes the payload of a close frame. Code 1005 stands for a frame without a code. */
function readClose(payload: Buffer): NonNullable<RawWebSocket['close']> {
	return payload.length < 2
		? { code: 1005, reason: '' }
		: { code: payload.readUInt16BE(0), reason: payload.toString('utf8', 2) };
}

/**
 * Connects to an endpoint of a server on this machine: on a port, or on the Unix socket with this path. The
 * caller must end the connection. Rejects with the status line if the handshake is refused.
 */
export async function openRawWebSocket(
	at: number | string,
	{ path = '/ws', headers = {}, answersPings = false, localAddress }: RawWebSocketOptions = {},
): Promise<RawWebSocket> {
	const texts: string[] = [];
	const textFrames: ReadFrame[] = [];
	let extensions: string | undefined;
	let pings = 0;
	let close: RawWebSocket['close'];
	let isClosed = false;
	let isOpen = false;
	let statusLine = '';
	let received: Buffer = Buffer.alloc(0);
	const socket = connect(typeof at === 'string' ? { path: at } : tcp(at, localAddress));
	socket.on('error', () => {});
	socket.on('close', () => {
		isClosed = true;
	});
	socket.on('data', (chunk: Buffer) => {
		received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
		if (!isOpen) {
			const end = received.indexOf('\r\n\r\n');
			if (end < 0) return;
			statusLine = received.toString('latin1', 0, received.indexOf('\r\n'));
			if (!statusLine.startsWith('HTTP/1.1 101')) return;
			isOpen = true;
			extensions = /^sec-websocket-extensions: *(.*)\r$/im.exec(received.toString('latin1', 0, end + 2))?.[1];
			received = received.subarray(end + 4);
		}
		const { frames, rest } = readFrames(received);
		received = rest;
		for (const one of frames) {
			const { opcode, payload } = one;
			if (opcode === Opcode.text) {
				texts.push(textOf(one));
				textFrames.push(one);
			} else if (opcode === Opcode.close) close = readClose(payload);
			else if (opcode === Opcode.ping) {
				pings++;
				if (answersPings) socket.write(frame(payload, { opcode: Opcode.pong }));
			}
		}
	});
	const added = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
	socket.write(`${HANDSHAKE.replace('/ws', path)}${added.join('')}\r\n`);
	await until(() => statusLine !== '', { what: 'the handshake is complete' });
	if (!isOpen) {
		socket.destroy();
		throw new Error(`the handshake was refused: ${statusLine}`);
	}
	return {
		extensions,
		texts,
		textFrames,
		get pings() {
			return pings;
		},
		get close() {
			return close;
		},
		get isClosed() {
			return isClosed;
		},
		get isFlushed() {
			return socket.writableLength === 0;
		},
		write: (bytes) => void socket.write(bytes),
		send: (text) => void socket.write(frame(text)),
		pause: () => void socket.pause(),
		resume: () => void socket.resume(),
		closed: () => until(() => isClosed, { what: 'the server has ended the connection', timeoutMs: CLOSE_TIMEOUT_MS }),
		end: () => void socket.destroy(),
	};
}

/** Decompresses a frame's text. The server must not keep its context from message to message. */
function textOf({ isCompressed, payload }: ReadFrame): string {
	if (!isCompressed) return payload.toString();
	return inflateRawSync(Buffer.concat([payload, END_OF_MESSAGE]), SYNC_FLUSH).toString();
}

function tcp(port: number, localAddress: string | undefined): TcpNetConnectOpts {
	return { host: '127.0.0.1', port, noDelay: true, ...(localAddress !== undefined && { localAddress }) };
}
