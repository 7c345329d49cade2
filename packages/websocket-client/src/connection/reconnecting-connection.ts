import { type AuthAnswer, BuiltIn, readRetryHint, SocketRequestError } from '@orijs/websocket/protocol';
import { ClientClosedError, InvalidClientOptionError, UnconfirmedMessagesError } from '../errors.ts';
import type { ErrorStage, Failures } from '../failures.ts';
import { inRange, type Settings } from '../options.ts';
import type { Listeners } from '../support/listeners.ts';
import { type Deferred, deferred, toError, within } from '../support/promises.ts';
import { fullJitter, isTerminal, TOKEN_EXPIRED } from './reconnect-policy.ts';
import { Connection } from './connection.ts';
import { diagnose } from './diagnosis.ts';
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

/** After this many failed attempts, their cause is reported, unless it is known already. */
const EXPLAIN_AFTER = 3;

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
	/** What was last reported as their cause; empty while it is being found out. */
	#told: string | undefined;
	/** How many more attempts may fail until a connection is ready. */
	#attemptsLeft = 0;
	/** Whether expired credentials may be replaced: once, until a connection is ready. */
	#mayRenew = false;
	#readyAt = 0;
	/** Whether the server chose the current delay. */
	#isDelayOfServer = false;
	#retryTimer: ReturnType<typeof setTimeout> | undefined;
	/** Aborts the current call of `auth()`. */
	#auth: AbortController | undefined;
	/** Aborts the current search for the cause of failed attempts. Undefined if its result is no longer wanted. */
	#search: AbortController | undefined;
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
			throw new InvalidClientOptionError('there is no WebSocket: pass that of the package ws as an option');
		if (this.#state === 'idle' || this.#state === 'closed') {
			if (this.#state === 'closed') this.#ready = deferred();
			this.#readyAt = 0;
			this.#startOver();
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
		inRange('timeoutMs', timeoutMs);
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
		within(
			connectTimeoutMs,
			(this.#auth = new AbortController()),
			async (signal) => {
				const token = await auth({ signal });
				// It must be possible to write the token as JSON.
				JSON.stringify(token);
				return token;
			},
			() => new Error(`auth() took longer than ${connectTimeoutMs} ms`),
		).then(
			(token) => {
				if (attempt === this.#attempt) this.#connect(token);
			},
			(error: unknown) => {
				if (attempt === this.#attempt) this.#ended({ code: 1006, reason: 'auth() failed' }, toError(error), 'auth');
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
				ended: (end, error) => isCurrent() && this.#ended(end, error),
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

	/**
	 * Called when an attempt has failed, or a connection has ended.
	 *
	 * @param error why the attempt failed, if that is known
	 */
	#ended(end: ConnectionEnd, error?: Error, stage: ErrorStage = 'connect'): void {
		const wasReady = this.#state === 'ready';
		const attempt = this.#attempt;
		const connection = this.#connection;
		if (connection !== undefined) {
			this.#detach(connection);
			this.#reportUnconfirmed(connection);
		}
		if (error !== undefined) this.#tell(error, stage);
		// A listener may have called `close()`, and even `connect()` again.
		if (attempt !== this.#attempt) return;
		if (wasReady) this.#startOver();
		else this.#attemptsLeft--;
		let hint = readRetryHint(end.reason);
		if (this.#mayRenew && end.reason === TOKEN_EXPIRED) {
			this.#mayRenew = false;
			hint = 0;
		} else if (isTerminal(end.code)) return this.#stop(end);
		const failures = ++this.#failedAttempts;
		const { reconnect } = this.#settings;
		const isUnexplained = !wasReady && error === undefined;
		if (this.#attemptsLeft > 0) {
			// The server's first hint is followed exactly. After failed attempts, the delay has a lower bound too, so that
			// hints can't make the client reconnect in a tight loop.
			const least = hint !== undefined && failures === 1 ? 0 : fullJitter(failures - 1, reconnect);
			const retryInMs = Math.round(Math.max(hint ?? 0, least));
			this.#isDelayOfServer = hint !== undefined;
			this.#retryTimer = setTimeout(() => this.#open(), retryInMs);
			if (isUnexplained && failures >= EXPLAIN_AFTER && this.#told === undefined) void this.#explain(end);
			this.#become('waiting', { end, retryInMs });
		} else if (isUnexplained && end.reason === '') void this.#explain(end);
		else this.#stop(end);
	}

	/** Called before the first attempt, and when a connection that was ready has ended. */
	#startOver(): void {
		this.#mayRenew = true;
		this.#attemptsLeft = this.#settings.reconnect.maxAttempts;
		if (Date.now() - this.#readyAt <= STABLE_MS) return;
		this.#failedAttempts = 0;
		this.#told = undefined;
	}

	#detach(connection: Connection): void {
		this.#connection = undefined;
		if (this.#state === 'ready') this.#ready = deferred();
		this.#events.lost(connection);
	}

	#reportUnconfirmed({ unconfirmed }: Connection): void {
		if (unconfirmed > 0) this.#failures.report(new UnconfirmedMessagesError(unconfirmed), 'send');
	}

	/** Finds out why no connection becomes ready, and reports it, or stops if no attempts are left. */
	async #explain(end: ConnectionEnd): Promise<void> {
		const search = (this.#search = new AbortController());
		this.#told ??= '';
		const error = await diagnose(this.#url, end, this.#settings.connectTimeoutMs, search);
		if (search !== this.#search || this.#state === 'ready') return;
		if (this.#attemptsLeft > 0) this.#tell(error, 'connect');
		else this.#stop({ code: end.code, reason: error.message });
	}

	/** Reports why connecting fails, once per cause. */
	#tell(error: Error, stage: ErrorStage): void {
		if (this.#told === error.message) return;
		this.#told = error.message;
		this.#failures.report(error, stage);
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
		this.#auth?.abort();
		this.#search?.abort();
		this.#search = undefined;
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
