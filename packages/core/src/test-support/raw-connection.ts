import { until } from '@orijs/testkit';
import { onTestFinished } from 'vitest';

/** A TCP connection that can send any bytes, unlike an HTTP or WebSocket client. */
export interface RawConnection {
	/** Everything received so far, one character per byte. */
	readonly received: string;
	readonly isClosed: boolean;
	write(text: string): void;
	/** Resolves once `text` has been received. */
	seen(text: string): Promise<void>;
	/** Resolves once the server has closed the connection. */
	closed(): Promise<void>;
	/** Stops reading. */
	pause(): void;
	/** Drops the connection. */
	end(): void;
}

/** Connects to a port of this machine, or to the Unix socket with this path. */
export async function connectRaw(at: number | string): Promise<RawConnection> {
	let received = '';
	let isClosed = false;
	const handlers: Bun.SocketHandler = {
		data(_, chunk) {
			received += chunk.toString('latin1');
		},
		close() {
			isClosed = true;
		},
		error() {},
	};
	const socket = await (typeof at === 'string'
		? Bun.connect({ unix: at, socket: handlers })
		: Bun.connect({ hostname: 'localhost', port: at, socket: handlers }));
	onTestFinished(() => socket.terminate());
	return {
		get received() {
			return received;
		},
		get isClosed() {
			return isClosed;
		},
		write: (text) => void socket.write(text),
		seen: (text) => until(() => received.includes(text), { what: `${JSON.stringify(text)} has been received` }),
		closed: () => until(() => isClosed, { what: 'the server has closed the connection' }),
		pause: () => socket.pause(),
		end: () => socket.terminate(),
	};
}
