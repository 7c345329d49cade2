import { until } from '@orijs/testkit';
import { onTestFinished } from 'vitest';

/** A TCP connection that says what it likes, as no HTTP or WebSocket client would. */
export interface RawConnection {
	/** Everything received so far, a character for a byte. */
	readonly received: string;
	readonly isClosed: boolean;
	write(text: string): void;
	/** Resolves once `text` was received. */
	seen(text: string): Promise<void>;
	/** Resolves once the other side has closed. */
	closed(): Promise<void>;
	/** Reads no more. */
	pause(): void;
	/** Cuts the connection. */
	end(): void;
}

/** The first lines of a good WebSocket handshake; the last one is missing. */
export const HANDSHAKE: string = [
	'GET /ws HTTP/1.1',
	'Host: localhost',
	'Connection: Upgrade',
	'Upgrade: websocket',
	'Sec-WebSocket-Version: 13',
	'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
	'',
].join('\r\n');

export async function connectRaw(port: number): Promise<RawConnection> {
	let received = '';
	let isClosed = false;
	const socket = await Bun.connect({
		hostname: 'localhost',
		port,
		socket: {
			data(_, chunk) {
				received += chunk.toString('latin1');
			},
			close() {
				isClosed = true;
			},
			error() {},
		},
	});
	onTestFinished(() => socket.terminate());
	return {
		get received() {
			return received;
		},
		get isClosed() {
			return isClosed;
		},
		write: (text) => void socket.write(text),
		seen: (text) => until(() => received.includes(text), { what: `${JSON.stringify(text)} was received` }),
		closed: () => until(() => isClosed, { what: 'the server closed the connection' }),
		pause: () => socket.pause(),
		end: () => socket.terminate(),
	};
}
