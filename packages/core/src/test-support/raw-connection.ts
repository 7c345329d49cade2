import { until } from '@orijs/testkit';
import { onTestFinished } from 'vitest';

/** A TCP connection that can send any bytes, unlike an HTTP or WebSocket client. */
export interface RawConnection {
	/** Everything received so far, one character per byte. */
	readonly received: string;
	/** The same, as it came: what the server has written at once is not split, as long as it is short. */
	readonly chunks: readonly string[];
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
	const chunks: string[] = [];
	let received = '';
	let isClosed = false;
	const handlers: Bun.SocketHandler = {
		data(_, chunk) {
			const text = chunk.toString('latin1');
			chunks.push(text);
			received += text;
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
		chunks,
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
