import { type AuthAnswer, BuiltIn, readRetryHint, SocketRequestError } from '@orijs/websocket/protocol';
import { ClientClosedError, InvalidClientOptionError, UnconfirmedMessagesError } from '../errors.ts';
import type { Failures } from '../failures.ts';
import { delay, type Settings } from '../options.ts';
import type { Listeners } from '../support/listeners.ts';
import { type Deferred, deferred, within } from '../support/promises.ts';
import { fullJitter, isTerminal } from './reconnect-policy.ts';
import { Connection } from './connection.ts';
import { endpointUrl } from './url.ts';
import { watchPageEvents } from './page-events.ts';
import type { PushedFrame } from './read-frame.ts';
import type { ClientState, ConnectionEnd, StateChange } from './client-state.ts';

export interface ReconnectingConnectionEvents {
	/** Called when a connection's guards have passed, before the state changes. */
	ready(connection: Connection, answer: AuthAnswer): void;
	/** Called when a connection can no longer be used, before the state changes. */
	lost(connection: Connection): void;
	/** Called when no further attempt will be made until `connect()` is called, after the state has changed. */
	closed(error: ClientClosedError): void;
	/** Called for a protocol frame that is not the answer to a request. */
	received(connection: Connection, frame: PushedFrame): void;
	/** Called for text that is not a protocol frame, and for bytes. */
	raw(data: string | ArrayBuffer): void;
}

export interface PingOptions {
	/** How long to wait for a sign of life before the connection is dropped, in milliseconds. Default 4,000. */
	readonly timeoutMs?: number;
}

/** How long a connection must remain ready, in milliseconds. If it ends sooner, it counts as a failed attempt. */
const STABLE_MS = 5_000;

/** How long `connect()` and `ping()` wait for a sign of life, in milliseconds. */
const PING_TIMEOUT_MS = 4_000;

/**
 * Opens a connection, and opens a new one whenever a connection is lost, until `close()` is called or the server
 * rejects the client permanently.
 */
export class ReconnectingConnection {
	readonly #url: string;
	readonly #settings: Settings;
	readonly #failures: Failures;
	readonly #events: ReconnectingConnectionEvents;
	readonly #stateListeners: Listeners<[ClientState, StateChange]>;
	#state: ClientState = 'idle';
	/** Why reconnecting stopped. */
	#end: ConnectionEnd | undefined;
	/** The promise that `connect()` returns. */
	#ready: Deferred<void> = deferred();
	#connection: Connection | undefined;
	/** The number of the current attempt. It identifies late outcomes of abandoned attempts. */
	#attempt = 0;
	/** The number of attempts in a row that did not lead to a stable connection. */
	#failedAttempts = 0;
	#readyAt = 0;
	/** Whether the server chose the current delay. */
	#isDelayOfServer = false;
	#retryTimer: ReturnType<typeof setTimeout> | undefined;
	#unwatch: (() => void) | undefined;
	#closing: Promise<void> = Promise.resolve();

	constructor(url: string, settings: Settings, failures: Failures, events: ReconnectingConnectionEvents) {
		this.#url = url;
		this.#settings = settings;
		this.#failures = failures;
		this.#events = events;
		this.#stateListeners = failures.listeners();
	}

	get state(): ClientState {
		return this.#state;
	}

	/** Why reconnecting stopped; undefined after `close()`. */
	get end(): ConnectionEnd | undefined {
		return this.#end;
	}

	onStateChange(listener: (state: ClientState, change: StateChange) => unknown): () => void {
		return this.#stateListeners.add(listener);
	}

	/**
	 * Connects, and resolves when a connection is ready. If the client is waiting before its next attempt, the attempt
	 * is made immediately. If there is a connection, resolves once it has proved alive, or a new one is ready.
	 *
	 * @throws {InvalidClientOptionError} there is no `WebSocket` class, or the URL is relative
	 * @throws {ClientClosedError} the client was closed, or stopped reconnecting
	 */
	async connect(): Promise<void> {
		endpointUrl(this.#url, true);
		if (this.#settings.WebSocket === undefined)
			throw new InvalidClientOptionError('WebSocket must be a class, such as that of the package ws');
		if (this.#state === 'idle' || this.#state === 'closed') {
			if (this.#state === 'closed') this.#ready = deferred();
			this.#failedAttempts = 0;
			this.#unwatch = watchPageEvents({
				offline: () => void this.#connection?.probe(),
				mayBeOnline: () => this.#mayBeOnline(),
			});
			this.#open();
		} else if (this.#state === 'waiting') this.#openNow();
		else if (this.#state === 'ready') await this.ping().catch(() => {});
		return this.#ready.promise;
	}

	/** See `SocketClient.ping`. */
	async ping(timeoutMs: number = PING_TIMEOUT_MS): Promise<number> {
		delay('timeoutMs', timeoutMs);
		const roundTrip = this.#connection?.probe(timeoutMs);
		if (roundTrip !== undefined) return roundTrip;
		throw new SocketRequestError(BuiltIn.ping, 'disconnected', `the client is ${this.#state}`);
	}

	/** Closes the connection. Resolves when it has ended, or after a timeout. Never rejects. */
	close(): Promise<void> {
		if (this.#state === 'closed') return this.#closing;
		const connection = this.#connection;
		this.#closing = connection === undefined ? Promise.resolve() : this.#closed(connection);
		this.#stop(undefined);
		return this.#closing;
	}

	async #closed(connection: Connection): Promise<void> {
		await connection.close();
		this.#reportUnconfirmed(connection);
	}

	#become(state: ClientState, change: Omit<StateChange, 'previous'> = {}): void {
		const previous = this.#state;
		if (previous === state) return;
		this.#state = state;
		this.#stateListeners.call(state, { ...change, previous });
	}

	#open(): void {
		const attempt = ++this.#attempt;
		this.#become('connecting');
		// A listener may have called `close()`.
		if (attempt !== this.#attempt) return;
		const { auth, connectTimeoutMs } = this.#settings;
		if (auth === undefined) return this.#connect(undefined);
		within(connectTimeoutMs, callAuth(auth), () => new Error(`auth() took longer than ${connectTimeoutMs} ms`)).then(
			(token) => {
				if (attempt === this.#attempt) this.#connect(token);
			},
			(error: unknown) => {
				if (attempt !== this.#attempt) return;
				this.#failures.report(error, 'auth');
				if (attempt === this.#attempt) this.#retry({ code: 1006, reason: 'auth() failed' });
			},
		);
	}

	#connect(auth: unknown): void {
		const isCurrent = (): boolean => this.#connection === connection;
		const connection: Connection = new Connection(
			{ url: this.#url, auth, settings: this.#settings },
			{
				ready: (answer) => isCurrent() && this.#opened(connection, answer),
				received: (frame) => isCurrent() && this.#events.received(connection, frame),
				raw: (data) => isCurrent() && this.#events.raw(data),
				ended: (end) => isCurrent() && this.#lost(connection, end),
				failed: (error, stage) => isCurrent() && this.#failures.report(error, stage),
			},
		);
		this.#connection = connection;
	}

	#opened(connection: Connection, answer: AuthAnswer): void {
		this.#readyAt = Date.now();
		this.#ready.resolve();
		this.#events.ready(connection, answer);
		// A listener may have called `close()`.
		if (this.#connection === connection) this.#become('ready');
	}

	#lost(connection: Connection, end: ConnectionEnd): void {
		const wasReady = this.#state === 'ready';
		const attempt = this.#attempt;
		this.#detach(connection);
		this.#reportUnconfirmed(connection);
		// A listener may have called `close()`, and even `connect()` again.
		if (attempt !== this.#attempt) return;
		if (isTerminal(end.code)) return this.#stop(end);
		if (wasReady && Date.now() - this.#readyAt > STABLE_MS) this.#failedAttempts = 0;
		this.#retry(end);
	}

	#detach(connection: Connection): void {
		this.#connection = undefined;
		if (this.#state === 'ready') this.#ready = deferred();
		this.#events.lost(connection);
	}

	#reportUnconfirmed({ unconfirmed }: Connection): void {
		if (unconfirmed > 0) this.#failures.report(new UnconfirmedMessagesError(unconfirmed), 'send');
	}

	#retry(end: ConnectionEnd): void {
		const hint = readRetryHint(end.reason);
		// The server's first hint is followed exactly. After failed attempts, the delay has a lower bound too, so that
		// hints can't make the client reconnect in a tight loop.
		const least =
			hint !== undefined && this.#failedAttempts === 0 ? 0 : fullJitter(this.#failedAttempts, this.#settings.reconnect);
		const retryInMs = Math.round(Math.max(hint ?? 0, least));
		this.#failedAttempts++;
		this.#isDelayOfServer = hint !== undefined;
		this.#retryTimer = setTimeout(() => this.#open(), retryInMs);
		this.#become('waiting', { end, retryInMs });
	}

	/** Called when an attempt may succeed now. Cuts a delay short, unless the server chose that delay. */
	#mayBeOnline(): void {
		void this.#connection?.probe();
		if (this.#state === 'waiting' && !this.#isDelayOfServer) this.#openNow();
	}

	#openNow(): void {
		clearTimeout(this.#retryTimer);
		this.#open();
	}

	/** Stops reconnecting. @param end the reason; undefined if `close()` was called */
	#stop(end: ConnectionEnd | undefined): void {
		this.#attempt++;
		this.#end = end;
		clearTimeout(this.#retryTimer);
		this.#unwatch?.();
		this.#unwatch = undefined;
		if (this.#connection !== undefined) this.#detach(this.#connection);
		const error = new ClientClosedError(end);
		this.#ready.reject(error);
		this.#become('closed', end === undefined ? {} : { end });
		// A state listener may have called `connect()` again.
		if (this.#state === 'closed') this.#events.closed(error);
	}
}

/** Calls `auth()` and resolves with its result. @throws {TypeError} the result can't be written as JSON */
async function callAuth(auth: () => unknown): Promise<unknown> {
	const value = await auth();
	JSON.stringify(value);
	return value;
}
