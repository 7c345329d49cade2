import { createReceivedMessages } from './received-messages.ts';
import type { ReceivedMessages, Message } from './received-messages.ts';
import { timeoutError, within } from './within.ts';

export interface ClientOptions {
	headers?: Record<string, string>;
	protocols?: string | string[];
	/** Whether to leave out the server's notices of subscriptions, for tests of something else. Default false. */
	withoutNotices?: boolean;
	/** How long connecting, each wait and closing may take, in milliseconds. Default 5000. */
	timeoutMs?: number;
}

export interface Closed {
	readonly code: number;
	readonly reason: string;
}

/** A real WebSocket client that records everything it receives. */
export interface TestClient {
	/** A live list of all messages in order of arrival, with text frames as strings. Consumed messages stay in it. */
	readonly messages: readonly Message[];
	/** The text frames in `messages`. */
	readonly texts: readonly string[];
	/** The subprotocol that the server has selected; empty if it selected none. */
	readonly protocol: string;
	/** Resolves when either side has ended the connection, with 1006 if there was no close frame. Never rejects. */
	readonly closed: Promise<Closed>;
	/**
	 * Resolves with the oldest unconsumed message that matches, and consumes it. Skipped messages remain for a later
	 * `next`. Rejects after `timeoutMs`, or if the connection has ended; the error lists the unconsumed messages.
	 */
	next(matches?: (message: Message) => boolean): Promise<Message>;
	/** Resolves with all messages once at least `count` messages have arrived since connecting. Consumes no message. */
	received(count: number): Promise<readonly Message[]>;
	send(message: string | ArrayBuffer | Uint8Array): void;
	/** Closes the connection with a close handshake. Terminates it if the server does not answer within `timeoutMs`. */
	close(code?: number, reason?: string): Promise<Closed>;
	/** Closes the connection without a close frame: the server sees 1006. */
	terminate(): Promise<Closed>;
}

/**
 * Connects a client. Resolves when the connection is open. Rejects if it is refused, with the HTTP status if there was
 * a response.
 */
export async function connectClient(url: string | URL, options: ClientOptions = {}): Promise<TestClient> {
	const { headers = {}, protocols = [], withoutNotices = false, timeoutMs = 5000 } = options;
	const address = String(url);
	const socket = new WebSocket(address, { headers, protocols: [protocols].flat() });
	socket.binaryType = 'arraybuffer';

	const received = createReceivedMessages();
	const opened = Promise.withResolvers<void>();
	const closed = Promise.withResolvers<Closed>();
	let failure = 'the server closed it immediately';
	socket.addEventListener('open', () => opened.resolve());
	socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
		if (withoutNotices && typeof data === 'string' && NOTICE.test(data)) return;
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

/** A frame that tells a client of changes of its subscriptions. */
const NOTICE = /^\{"type":"@(un)?subscribed"/;

/** Like {@link connectClient}, for a client that speaks the protocol of OriJS. */
export function connectSpeaker(url: string | URL, options?: ClientOptions): Promise<TestClient> {
	return connectClient(url, { protocols: 'orijs.1', ...options });
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
