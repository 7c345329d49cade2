import {
	type AnsweredAt,
	type AuthAnswer,
	BuiltIn,
	type DisconnectedNotice,
	type RequestFault,
	SocketRequestError,
	SUBPROTOCOL,
	wasDrained,
} from '@orijs/websocket/protocol';
import { ConnectError } from '../errors.ts';
import type { Settings, WebSocketLike } from '../options.ts';
import { type Deferred, deferred } from '../support/promises.ts';
import { utf8Bytes } from '../support/utf8-bytes.ts';
import { isAuthAnswer, isFault, isPingAnswer } from './answers.ts';
import { KeepAlive } from './keep-alive.ts';
import { Pace } from './pace.ts';
import { readFrame, type ServerFrame } from './read-frame.ts';
import { localTime, type ServerTime } from './server-time.ts';
import { SignsOfLife } from './signs-of-life.ts';
import type { ConnectionEnd } from './client-state.ts';

export interface ConnectionEvents {
	/** Called when the guards have passed. */
	ready(connection: Connection, answer: AuthAnswer): void;
	/** Called when a ping has been answered. */
	answered(answer: AnsweredAt): void;
	/**
	 * Called for a frame that is not the answer to a request.
	 *
	 * @param frame undefined if it is not a frame of the protocol
	 * @param data as it arrived
	 */
	received(connection: Connection, frame: ServerFrame | undefined, data: string | ArrayBuffer): void;
	/**
	 * Called once when the connection has ended. No other event follows. After `close()`, there are no events.
	 *
	 * @param error why the endpoint can't be used, if that is known
	 */
	ended(end: ConnectionEnd, error: Error | undefined): void;
}

/** Settles a request. @param fault why it was refused */
type Settle = (fault: RequestFault | undefined, data?: unknown) => void;

const DISCONNECTED: RequestFault = {
	code: 'disconnected',
	message: 'the connection ended; the request may have been handled',
};

/**
 * The close code that the client uses if the server no longer answers. It is from the range that RFC 6455 reserves for
 * applications, because 1006 can't be sent.
 */
const NO_ANSWER = 4000;

/**
 * What the client offers. Many servers confirm the first offer unseen, so the first one shows that a server is no
 * endpoint, before it has been sent any credentials.
 */
export const SUBPROTOCOLS: string[] = ['orijs.none', SUBPROTOCOL];

const NORMAL = 1000;
const CLOSED = 'closed by the client';

/**
 * One WebSocket connection, from opening to closing. Authenticates, sends messages and requests, and detects a dead
 * server.
 */
export class Connection {
	#events: Partial<ConnectionEvents>;
	/** The requests that the server has not answered yet, by correlation id. */
	readonly #pending = new Map<string, Settle>();
	readonly #socket: WebSocketLike;
	readonly #signs: SignsOfLife;
	readonly #keepAlive: KeepAlive;
	readonly #pace = new Pace(() => this.#ping());
	#deadline: ReturnType<typeof setTimeout>;
	#builtInRequests = 0;
	#isOver = false;
	#sent = 0;
	#confirmed = 0;
	/** Whether the guards have passed. */
	#isReady = false;
	/** What the server has said about why it ends the connection. */
	#disconnected: DisconnectedNotice | undefined;
	readonly #begunAt = localTime();
	/** The time up to which the server is known to have sent everything; undefined if that is unknown. */
	proven: ServerTime | undefined;
	/** The largest message that the server accepts, in bytes of UTF-8. */
	messageBytes: number = Infinity;
	/** When the next ping may be sent, by the monotonic clock. */
	#pingAt = 0;
	#pingTimer: ReturnType<typeof setTimeout> | undefined;
	/** Set while a ping waits for the rate. */
	#pingTurn: Deferred<void> | undefined;

	/** @param auth the credentials for the guards */
	constructor(
		socket: WebSocketLike,
		auth: unknown,
		{ connectTimeoutMs, heartbeat }: Pick<Settings, 'connectTimeoutMs' | 'heartbeat'>,
		events: ConnectionEvents,
	) {
		this.#events = events;
		this.#socket = socket;
		this.#signs = new SignsOfLife(socket);
		this.#keepAlive = new KeepAlive(
			heartbeat,
			() => this.#check(),
			() => this.#signs.take() || !!this.#pingTurn,
			(timeoutMs) => this.#abort(`the server did not answer for ${timeoutMs} ms`),
		);
		this.#deadline = setTimeout(() => this.#abort(`not ready within ${connectTimeoutMs} ms`), connectTimeoutMs);
		socket.binaryType = 'arraybuffer';
		socket.addEventListener('open', () => this.#authenticate(auth));
		socket.addEventListener('message', ({ data }: MessageEvent) => this.#received(data as string | ArrayBuffer));
		socket.addEventListener('close', ({ code, reason, wasClean }: CloseEvent) => {
			// If the server has answered the client's close frame, it has received everything sent before that frame.
			if (wasClean && reason === CLOSED) this.#confirmed = this.#sent;
			const disconnected = this.#disconnected;
			this.#end(disconnected ? { code, reason, disconnected } : { code, reason });
		});
		// The `error` event adds nothing to `close`, but some implementations throw if it has no listener.
		socket.addEventListener('error', () => {});
	}

	get isReady(): boolean {
		return this.#isReady && this.isOpen;
	}

	get isOpen(): boolean {
		// `WebSocket.OPEN`, but there may be no global `WebSocket`.
		const open = 1;
		return !this.#isOver && this.#socket.readyState === open;
	}

	/** How many of the sent messages the server may not have received. */
	get unconfirmed(): number {
		return this.#sent - this.#confirmed;
	}

	// Sending

	/**
	 * Returns in how many milliseconds the server's rate limit allows this much to be sent, and the socket may have room
	 * for it; 0 if it can be sent now.
	 */
	delay(messages: number, bytes: number): number {
		// With more bytes in the socket's buffer, further messages have to wait in the queue.
		const maxBuffered = 262_144;
		return this.#pace.delay(messages, bytes) || Number(this.#signs.buffered > maxBuffered);
	}

	/** The maximum number of messages that may be sent at once; at least 1. */
	get burst(): number {
		return this.#pace.burst;
	}

	/** Returns why the server would not accept a message of this size; undefined if it would. */
	excess(bytes: number): string | undefined {
		const { messageBytes } = this;
		return bytes > messageBytes ? `it has ${bytes} bytes, and the server accepts ${messageBytes}` : undefined;
	}

	/** Sends a message. The connection must be ready. @param text JSON @param bytes its size */
	send(text: string, bytes: number): void {
		this.#sent++;
		this.#transmit(text, 1, bytes);
	}

	/** Sends a frame that does not count as a message, such as a reply. Does nothing once the connection has ended. */
	reply(text: string): void {
		if (this.isOpen) this.#transmit(text, 0, utf8Bytes(text));
	}

	/**
	 * Sends a request and resolves with its answer.
	 *
	 * @param text JSON that contains this correlation id
	 * @param messages how many messages it counts as towards the rate limit
	 * @throws {SocketRequestError} the request is too large, the server refused it, or the connection ended
	 */
	request(
		name: string,
		correlationId: string,
		text: string,
		bytes: number = utf8Bytes(text),
		messages: number = 1,
	): Promise<unknown> {
		return new Promise((resolve, reject) => {
			const refuse = ({ code, message }: RequestFault): void => reject(new SocketRequestError(name, code, message));
			if (!this.isOpen) return refuse(DISCONNECTED);
			const message = this.excess(bytes);
			if (message) return refuse({ code: 'too_large', message });
			this.#transmit(text, messages, bytes);
			const sentBefore = this.#sent;
			const paid = this.#pace.sent;
			this.#pending.set(correlationId, (fault, data) => {
				// The server has received everything that was sent before the request.
				if (!this.#isOver) {
					this.#confirmed = Math.max(this.#confirmed, sentBefore);
					this.#pace.arrived(paid);
				}
				if (fault) refuse(fault);
				else resolve(data);
			});
		});
	}

	/**
	 * Sends one of the built-in requests and resolves with its answer.
	 *
	 * @param messages how many messages it counts as towards the rate limit
	 * @throws {SocketRequestError}
	 */
	ask(type: string, data: unknown, messages?: number): Promise<unknown> {
		const correlationId = `@${++this.#builtInRequests}`;
		const text = JSON.stringify({ type, data, correlationId });
		return this.request(type, correlationId, text, undefined, messages);
	}

	#transmit(text: string, messages: number, bytes: number): void {
		this.#signs.send(text);
		this.#pace.pay(messages, bytes);
	}

	/** Stops waiting for the answer to a request, whose promise then never settles. */
	forget(correlationId: string): void {
		this.#pending.delete(correlationId);
	}

	/** Checks immediately whether the server is alive, see {@link KeepAlive.check}; undefined if it is not ready. */
	probe(timeoutMs?: number): Promise<number> | undefined {
		return this.#isReady ? this.#keepAlive.check(timeoutMs) : undefined;
	}

	/**
	 * Closes the connection cleanly: all messages already sent still arrive. Resolves once it has ended, or after a
	 * timeout.
	 */
	close(): Promise<void> {
		return new Promise((resolve) => {
			this.#events = { ended: () => resolve() };
			this.#keepAlive.stop();
			clearTimeout(this.#deadline);
			// How long the server may take to answer the close frame, in milliseconds.
			const closeTimeoutMs = 2_000;
			this.#deadline = setTimeout(() => this.#abort(CLOSED, NORMAL), closeTimeoutMs);
			this.#socket.close(NORMAL, CLOSED);
		});
	}

	// Opening and ending

	#authenticate(auth: unknown): void {
		if (this.#socket.protocol !== SUBPROTOCOL)
			return this.#abort('no OriJS endpoint: it does not confirm orijs.1', NORMAL);
		const askedAt = localTime();
		// If a guard rejects the client, the server closes the connection instead of answering. A server that answers
		// with an error therefore does not speak the protocol.
		const refused = (): void => this.#abort('the server refused @auth', NORMAL);
		this.ask(BuiltIn.auth, auth).then(
			(answer) => (isAuthAnswer(answer) ? this.#authenticated(answer, askedAt) : refused()),
			refused,
		);
	}

	#authenticated(answer: AuthAnswer, askedAt: ServerTime['askedAt']): void {
		if (this.#isOver) return;
		clearTimeout(this.#deadline);
		this.#pace.limit(answer);
		this.messageBytes = answer.messageBytes ?? Infinity;
		this.proven = { ...answer, askedAt };
		this.#isReady = true;
		this.#keepAlive.start();
		this.#events.ready?.(this, answer);
	}

	/**
	 * Called when the server has sent a notice with its time. Until the guards have passed, no answer has one.
	 */
	prove(notice: AnsweredAt): void {
		if (!this.#isReady) this.proven = { ...notice, askedAt: this.#begunAt };
	}

	/** Pings the server, as soon as the rate allows it, and watches for signs of life from then on. */
	async #check(): Promise<number> {
		const ms = this.#pingAt - performance.now();
		if (ms > 0) {
			this.#pingTurn = deferred();
			this.#pingTimer = setTimeout(this.#pingTurn.resolve, ms);
			await this.#pingTurn.promise;
			this.#pingTurn = undefined;
		}
		this.#pingAt = performance.now() + this.#pace.pingMs;
		this.#signs.forget();
		return this.#ping();
	}

	async #ping(): Promise<number> {
		const askedAt = localTime();
		const answer = await this.ask(BuiltIn.ping, undefined);
		if (isPingAnswer(answer)) {
			this.proven = { ...answer, askedAt };
			this.#events.answered?.(answer);
		}
		return performance.now() - askedAt[0];
	}

	/** Ends the connection without waiting for the server, which may be gone. */
	#abort(reason: string, code: number = NO_ANSWER): void {
		const isUnusable = this.isOpen && !this.#isReady;
		try {
			this.#socket.close(code, reason);
		} catch {
			// Some implementations throw if the socket is not open yet.
		}
		this.#end({ code, reason }, isUnusable ? new ConnectError(reason) : undefined);
	}

	#end(end: ConnectionEnd, error?: Error): void {
		if (this.#isOver) return;
		this.#isOver = true;
		clearTimeout(this.#deadline);
		this.#keepAlive.stop();
		clearTimeout(this.#pingTimer);
		this.#pingTurn?.resolve();
		const fault = wasDrained(end.code, end.reason) ? { code: 'stopping', message: 'not handled' } : DISCONNECTED;
		for (const settle of this.#pending.values()) settle(fault);
		this.#events.ended?.(end, error);
	}

	// Receiving

	#received(data: string | ArrayBuffer): void {
		if (this.#isOver) return;
		this.#signs.arrived();
		const frame = readFrame(data);
		if (!frame || frame.name !== undefined || !frame.correlationId) {
			if (frame?.name === undefined && frame?.type === BuiltIn.disconnected)
				this.#disconnected = frame.data as DisconnectedNotice;
			else this.#events.received?.(this, frame, data);
			return;
		}
		const { correlationId, error, data: answer } = frame;
		const settle = this.#pending.get(correlationId);
		this.#pending.delete(correlationId);
		// If it came too late, the request had been abandoned.
		settle?.(isFault(error) ? error : undefined, answer);
	}
}
