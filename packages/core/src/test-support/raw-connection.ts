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
		seen: (text) => until(() => received.includes(text), { what: `${JSON.stringify(text)} has been received` }),
		closed: () => until(() => isClosed, { what: 'the server has closed the connection' }),
		pause: () => socket.pause(),
		end: () => socket.terminate(),
	};
}
