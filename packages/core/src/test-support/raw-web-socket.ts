import { until } from '@orijs/testkit';
import { connect, type TcpNetConnectOpts } from 'node:net';
import { onTestFinished } from 'vitest';
import { frame, Opcode, readFrames } from './frames.ts';
import { HANDSHAKE } from './raw-connection.ts';

/** A WebSocket client that can stop reading, and can send invalid frames. */
export interface RawWebSocket {
	/** The text messages received so far. */
	readonly texts: readonly string[];
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
	/** Drops the connection. */
	end(): void;
}

const CLOSE_TIMEOUT_MS = 15_000;

function tcp(port: number, localAddress: string | undefined): TcpNetConnectOpts {
	if (localAddress === undefined) return { host: 'localhost', port, noDelay: true };
	return { host: '127.0.0.1', port, localAddress, noDelay: true };
}

/** Decodes the payload of a close frame. Code 1005 stands for a frame without a code. */
function readClose(payload: Buffer): NonNullable<RawWebSocket['close']> {
	return payload.length < 2
		? { code: 1005, reason: '' }
		: { code: payload.readUInt16BE(0), reason: payload.toString('utf8', 2) };
}

export interface RawWebSocketOptions {
	/** Headers to add to the handshake. */
	readonly headers?: Readonly<Record<string, string>>;
	/** Whether it answers pings; default false. */
	readonly answersPings?: boolean;
	/** The address to connect from; default: any. */
	readonly localAddress?: string;
}

/**
 * Connects to an application's default endpoint until the test ends: on a port of this machine, or on the Unix socket
 * with this path. Rejects with the status line if the handshake is refused.
 */
export async function connectRawWebSocket(
	at: number | string,
	{ headers = {}, answersPings = false, localAddress }: RawWebSocketOptions = {},
): Promise<RawWebSocket> {
	const texts: string[] = [];
	let pings = 0;
	let close: RawWebSocket['close'];
	let isClosed = false;
	let isOpen = false;
	let statusLine = '';
	let received: Buffer = Buffer.alloc(0);
	const socket = connect(typeof at === 'string' ? { path: at } : tcp(at, localAddress));
	onTestFinished(() => void socket.destroy());
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
			received = received.subarray(end + 4);
		}
		const { frames, rest } = readFrames(received);
		received = rest;
		for (const { opcode, payload } of frames) {
			if (opcode === Opcode.text) texts.push(payload.toString());
			else if (opcode === Opcode.close) close = readClose(payload);
			else if (opcode === Opcode.ping) {
				pings++;
				if (answersPings) socket.write(frame(payload, { opcode: Opcode.pong }));
			}
		}
	});
	const added = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
	socket.write(`${HANDSHAKE}${added.join('')}\r\n`);
	await until(() => statusLine !== '', { what: 'the handshake is complete' });
	if (!isOpen) throw new Error(`the handshake was refused: ${statusLine}`);
	return {
		texts,
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
