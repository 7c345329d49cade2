import { createReceivedMessages } from './received-messages.ts';
import type { ReceivedMessages, Message } from './received-messages.ts';
import { timeoutError, within } from './within.ts';

export interface ClientOptions {
	headers?: Record<string, string>;
	protocols?: string | string[];
	/** Milliseconds, for connecting, for each wait and for closing; default 5000. */
	timeoutMs?: number;
}

export interface Closed {
	readonly code: number;
	readonly reason: string;
}

/** A real WebSocket client that remembers everything it received. */
export interface TestClient {
	/** All messages in the order of their arrival, text frames as strings. Grows; what is consumed stays in it. */
	readonly messages: readonly Message[];
	/** The text frames among them. */
	readonly texts: readonly string[];
	/** The subprotocol that the server chose; '' for none. */
	readonly protocol: string;
	/** Resolves when the connection has ended, whoever ended it; 1006 when it broke. Never rejects. */
	readonly closed: Promise<Closed>;
	/**
	 * Resolves with the oldest unconsumed message that matches, and consumes it alone: those it passed over stay for a
	 * later `next`. Rejects, showing what was there instead, when time is up or the connection has ended.
	 */
	next(matches?: (message: Message) => boolean): Promise<Message>;
	/** Resolves with all messages once at least `count` have arrived since connecting. Consumes none. */
	received(count: number): Promise<readonly Message[]>;
	send(message: string | ArrayBuffer | Uint8Array): void;
	/** Closes with a handshake; after `timeoutMs` without the server's answer, without one. */
	close(code?: number, reason?: string): Promise<Closed>;
	/** Cuts the connection without a close frame: the server sees 1006. */
	terminate(): Promise<Closed>;
}

/** Resolves when the connection is open. Rejects when it is refused, with the HTTP status where the server gave one. */
export async function connectClient(url: string | URL, options: ClientOptions = {}): Promise<TestClient> {
	const { headers = {}, protocols = [], timeoutMs = 5000 } = options;
	const address = String(url);
	const socket = new WebSocket(address, { headers, protocols: [protocols].flat() });
	socket.binaryType = 'arraybuffer';

	const received = createReceivedMessages();
	const opened = Promise.withResolvers<void>();
	const closed = Promise.withResolvers<Closed>();
	let failure = 'the server closed it at once';
	socket.addEventListener('open', () => opened.resolve());
	socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
		received.push(typeof data === 'string' ? data : new Uint8Array(data));
	});
	socket.addEventListener('error', ({ message }) => {
		failure = message.replace(/^WebSocket connection to .* failed: /, '');
	});
	socket.addEventListener('close', ({ code, reason }) => {
		received.end(`the connection to ${address} was closed (${code} ${JSON.stringify(reason)})`);
		opened.reject(new Error(`could not connect to ${address}: ${failure}`));
		closed.resolve({ code, reason });
	});

	try {
		await within(
			timeoutMs,
			opened.promise,
			timeoutError(() => `could not connect to ${address}: no answer within ${timeoutMs} ms`),
		);
	} catch (error) {
		socket.terminate();
		throw error;
	}
	return clientOf(socket, received, closed.promise, timeoutMs);
}

function clientOf(
	socket: WebSocket,
	received: ReceivedMessages,
	closed: Promise<Closed>,
	timeoutMs: number,
): TestClient {
	return {
		messages: received.all,
		get texts() {
			return received.all.filter((message) => typeof message === 'string');
		},
		protocol: socket.protocol,
		closed,
		next: (matches = () => true) => received.next(matches, timeoutMs),
		received: (count) => received.atLeast(count, timeoutMs),
		send: (message) => socket.send(message),
		async close(code, reason) {
			socket.close(code, reason);
			const timer = setTimeout(() => socket.terminate(), timeoutMs);
			try {
				return await closed;
			} finally {
				clearTimeout(timer);
			}
		},
		terminate() {
			socket.terminate();
			return closed;
		},
	};
}
