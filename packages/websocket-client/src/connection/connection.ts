import {
	type AuthAnswer,
	BuiltIn,
	type ErrorCode,
	readBinaryFrame,
	type RequestFault,
	SocketRequestError,
	wasDrained,
} from '@orijs/websocket/protocol';
import { isAuthAnswer, isPingAnswer } from './answers.ts';
import { deferred } from '../deferred.ts';
import { ProtocolError } from '../errors.ts';
import { KeepAlive } from './keep-alive.ts';
import { type Incoming, readFrame } from './read-frame.ts';
import type { Settings } from '../options.ts';
import type { ConnectionEnd } from './state.ts';

export interface ConnectionEvents {
	/** The guards have passed. */
	ready(answer: AuthAnswer): void;
	/** Something came that answers nothing that was asked. */
	heard(incoming: Exclude<Incoming, { kind: 'answer' | 'raw' }>): void;
	/** Text that is no frame of the protocol, or bytes. */
	raw(data: string | ArrayBuffer): void;
	/** It is over. Called once, and last. */
	ended(end: ConnectionEnd): void;
	/** The endpoint can't be talked to. */
	failed(error: Error, stage: 'connect' | 'protocol'): void;
}

export interface ConnectionOptions {
	readonly url: string;
	/** What the guards are shown. */
	readonly auth: unknown;
	readonly settings: Settings;
}

interface Ask {
	readonly name: string;
	/** How many messages had been sent when it was. */
	readonly after: number;
	resolve(data: unknown): void;
	reject(error: Error): void;
}

/** What may wait in the socket itself, in bytes, before more is kept back. */
const MOST_BUFFERED = 256 * 1024;

/**
 * What this side closes with when the server no longer answers: of the range that RFC 6455 leaves to applications, as
 * 1006 can't be sent.
 */
export const NO_ANSWER = 4000;

/** `WebSocket.OPEN`, where there may be no global of that name. */
const OPEN = 1;

/** The close code where there is none. */
const ABNORMAL = 1006;
const NORMAL = 1000;
const CLOSED = 'closed by the client';

/** How long the other side may take to answer that it is closed. */
const CLOSE_TIMEOUT_MS = 2_000;

/** One WebSocket, from its opening to its end: shows the guards what they want to see, asks, and knows whether it is alive. */
export class Connection {
	readonly #events: ConnectionEvents;
	readonly #settings: Settings;
	readonly #asks = new Map<string, Ask>();
	readonly #socket: WebSocket | undefined;
	readonly #heartbeat: KeepAlive;
	#deadline: ReturnType<typeof setTimeout>;
	readonly #over = deferred();
	#asked = 0;
	#isReady = false;
	#isOver = false;
	#sent = 0;
	#confirmed = 0;
	#provenAt: number | undefined;

	constructor({ url, auth, settings }: ConnectionOptions, events: ConnectionEvents) {
		this.#events = events;
		this.#settings = settings;
		const { timeoutMs } = settings.heartbeat;
		this.#heartbeat = new KeepAlive(settings.heartbeat, {
			ping: () => this.#ping(),
			dead: () => this.#give(NO_ANSWER, `the server did not answer for ${timeoutMs} ms`),
		});
		const { connectTimeoutMs } = settings;
		this.#deadline = setTimeout(() => this.#tooLate(), connectTimeoutMs);
		try {
			this.#socket = new settings.WebSocket(url);
		} catch (error) {
			// A page's policy forbids it, for one. Whoever made this does not know it yet.
			queueMicrotask(() => {
				events.failed(error instanceof Error ? error : new Error(String(error)), 'connect');
				this.#end({ code: ABNORMAL, reason: 'the connection could not be made' });
			});
			return;
		}
		this.#listen(this.#socket, auth);
	}

	#listen(socket: WebSocket, auth: unknown): void {
		socket.binaryType = 'arraybuffer';
		socket.addEventListener('open', () => this.#begin(auth));
		socket.addEventListener('message', ({ data }: MessageEvent) => this.#receive(data as string | ArrayBuffer));
		socket.addEventListener('close', ({ code, reason, wasClean }: CloseEvent) => {
			// What was sent before this side's close frame has arrived if that was answered.
			if (wasClean && code === NORMAL && reason === CLOSED) this.#confirmed = this.#sent;
			this.#end({ code, reason });
		});
		// Tells nothing that its `close` doesn't; where nobody listens, some throw.
		socket.addEventListener('error', () => {});
	}

	get isReady(): boolean {
		return this.#isReady && this.#isOpen;
	}

	get #isOpen(): boolean {
		return !this.#isOver && this.#socket?.readyState === OPEN;
	}

	/** Whether so much waits in the socket already that more should be kept back. */
	get isFull(): boolean {
		return (this.#socket?.bufferedAmount ?? 0) > MOST_BUFFERED;
	}

	/** When the server was last known to have sent all that it had, by its clock; undefined before the guards have passed. */
	get provenAt(): number | undefined {
		return this.#provenAt;
	}

	/** How many messages were sent that the server may not have received. */
	get unconfirmed(): number {
		return this.#sent - this.#confirmed;
	}

	// Talking

	/** Sends a message; it is to be ready. @param text JSON */
	tell(text: string): void {
		this.#sent++;
		this.#socket?.send(text);
	}

	/** Sends what is no message of the application, as the answer to a request. Does nothing once it is over. */
	reply(text: string): void {
		if (this.#isOpen) this.#socket?.send(text);
	}

	/** Asks, and resolves with the answer. @param text JSON, with this correlation id. @throws {SocketRequestError} */
	ask(name: string, correlationId: string, text: string): Promise<unknown> {
		return new Promise((resolve, reject) => {
			if (!this.#isOpen) {
				reject(disconnected(name));
				return;
			}
			this.#asks.set(correlationId, { name, after: this.#sent, resolve, reject });
			this.#socket?.send(text);
		});
	}

	/** Asks one of the system's own. @throws {SocketRequestError} */
	askBuiltIn(type: string, data: unknown): Promise<unknown> {
		const correlationId = `@${++this.#asked}`;
		return this.ask(type, correlationId, JSON.stringify({ type, data, correlationId }));
	}

	/** The answer is no longer waited for. */
	forget(correlationId: string): void {
		this.#asks.delete(correlationId);
	}

	/** Asks whether the server is there, at once. */
	probe(): void {
		if (this.#isReady) this.#heartbeat.beat();
	}

	/** Closes it in good order: what was sent before arrives. Resolves when that is through, or takes too long. */
	close(): Promise<void> {
		this.#heartbeat.stop();
		clearTimeout(this.#deadline);
		this.#deadline = setTimeout(() => this.#end({ code: NORMAL, reason: CLOSED }), CLOSE_TIMEOUT_MS);
		this.#socket?.close(NORMAL, CLOSED);
		return this.#over.promise;
	}

	// Its life

	#begin(auth: unknown): void {
		this.askBuiltIn(BuiltIn.auth, auth).then(
			(answer) => {
				if (isAuthAnswer(answer)) return this.#ready(answer);
				const wrong = 'The server answered @auth with something else: has its endpoint a socketRouter, or authorize?';
				this.#speaksOtherwise(new ProtocolError(wrong));
			},
			// A server that refuses closes; one that says no and stays is none that speaks the protocol.
			(error: Error) => this.#speaksOtherwise(error),
		);
	}

	#speaksOtherwise(error: Error): void {
		if (this.#isOver) return;
		this.#events.failed(error, 'protocol');
		this.#give(NORMAL, 'the server refused @auth');
	}

	#ready(answer: AuthAnswer): void {
		if (this.#isOver) return;
		clearTimeout(this.#deadline);
		this.#isReady = true;
		this.#provenAt = answer.timestamp;
		this.#heartbeat.start();
		this.#events.ready(answer);
	}

	async #ping(): Promise<void> {
		const answer = await this.askBuiltIn(BuiltIn.ping, undefined);
		if (isPingAnswer(answer)) this.#provenAt = answer.timestamp;
	}

	#tooLate(): void {
		const { connectTimeoutMs } = this.#settings;
		if (this.#isOpen) {
			this.#events.failed(
				new ProtocolError(
					`The server is connected but did not answer @auth within ${connectTimeoutMs} ms: has its endpoint a ` +
						'socketRouter, or authorize?',
				),
				'protocol',
			);
		}
		this.#give(NO_ANSWER, `not ready within ${connectTimeoutMs} ms`);
	}

	/** Ends it from this side, without waiting for the other one, which may be gone. */
	#give(code: number, reason: string): void {
		try {
			this.#socket?.close(code, reason);
		} catch {
			// It is not open yet, where that can't be said.
		}
		this.#end({ code, reason });
	}

	#end(end: ConnectionEnd): void {
		if (this.#isOver) return;
		this.#isOver = true;
		clearTimeout(this.#deadline);
		this.#heartbeat.stop();
		const why = wasDrained(end.code, end.reason) ? notHandled : disconnected;
		for (const { name, reject } of this.#asks.values()) reject(why(name));
		this.#asks.clear();
		this.#over.resolve();
		this.#events.ended(end);
	}

	#receive(data: string | ArrayBuffer): void {
		if (this.#isOver) return;
		if (typeof data !== 'string') {
			const frame = readBinaryFrame(data);
			if (frame === undefined) return this.#events.raw(data);
			const { head, payload } = frame;
			return this.#events.heard({ kind: 'message', envelope: { name: BuiltIn.bytes, data: payload, ...head } });
		}
		const incoming = readFrame(data);
		if (incoming.kind === 'raw') return this.#events.raw(data);
		if (incoming.kind !== 'answer') return this.#events.heard(incoming);
		this.#answered(incoming.correlationId, incoming.data, incoming.error);
	}

	#answered(correlationId: string, data: unknown, error: RequestFault | undefined): void {
		const ask = this.#asks.get(correlationId);
		// Too late: it was given up.
		if (ask === undefined) return;
		this.#asks.delete(correlationId);
		this.#confirmed = Math.max(this.#confirmed, ask.after);
		if (error === undefined) ask.resolve(data);
		else ask.reject(refusedWith(ask.name, error));
	}
}

function refusedWith(name: string, { code, message }: { code: ErrorCode; message: string }): SocketRequestError {
	return new SocketRequestError(name, code, message);
}

function disconnected(name: string): SocketRequestError {
	return new SocketRequestError(name, 'disconnected', 'the connection has ended; it may have been handled or not');
}

function notHandled(name: string): SocketRequestError {
	return new SocketRequestError(name, 'stopping', 'the server has stopped and not handled it');
}
