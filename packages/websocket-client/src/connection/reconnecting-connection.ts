import { type AuthAnswer, BuiltIn, readRetryHint, SocketRequestError } from '@orijs/websocket/protocol';
import { ClientClosedError, UnconfirmedMessagesError } from '../errors.ts';
import type { ErrorStage, Failures } from '../failures.ts';
import { checked, mustBe, type Settings, type WebSocketConstructor } from '../options.ts';
import type { Listeners } from '../support/listeners.ts';
import { type Deferred, deferred, toError, within } from '../support/promises.ts';
import { fullJitter, isExpired, isTerminal } from './reconnect-policy.ts';
import { Connection, type ConnectionEvents, SUBPROTOCOLS } from './connection.ts';
import { diagnose } from './diagnosis.ts';
import { endpointUrl } from './url.ts';
import { watchPageEvents } from './page-events.ts';
import { Renewal } from './renewal.ts';
import type { ClientState, ConnectionEnd, StateChange } from './client-state.ts';

export interface ReconnectingConnectionEvents extends Omit<ConnectionEvents, 'ended'> {
	/** Called when a connection's guards have passed, before the state changes. */
	ready(connection: Connection, answer: AuthAnswer): void;
	/**
	 * Called when a connection can no longer be used, before the state changes.
	 *
	 * @param isClosing whether `close()` was called
	 */
	lost(connection: Connection, isClosing: boolean): void;
	/** Called when no further attempt will be made until `connect()` is called, after the state has changed. */
	closed(error: ClientClosedError): void;
}

export interface PingOptions {
	/** How long to wait for a sign of life before the connection is dropped, in milliseconds. Default 4,000. */
	readonly timeoutMs?: number;
}

/**
 * Opens a connection, and opens a new one whenever a connection is lost, until `close()` is called or the server
 * rejects the client permanently.
 */
export class ReconnectingConnection {
	readonly #url: string;
	readonly #settings: Settings;
	readonly #failures: Failures;
	readonly #events: ReconnectingConnectionEvents;
	readonly states: Listeners<[ClientState, StateChange]>;
	#state: ClientState = 'idle';
	/** Why reconnecting stopped; undefined after `close()`. */
	end: ConnectionEnd | undefined;
	/** The promise that `connect()` returns. */
	#ready: Deferred<void> | undefined;
	#connection: Connection | undefined;
	/** Undefined unless the connection's guards have passed. */
	#renewal: Renewal | undefined;
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
	/** Aborted when reconnecting stops, and with it what is still being waited for. */
	#life: AbortController | undefined;
	#closing: Promise<void> | undefined;

	constructor(url: string, settings: Settings, failures: Failures, events: ReconnectingConnectionEvents) {
		this.#url = url;
		this.#settings = settings;
		this.#failures = failures;
		this.#events = events;
		this.states = failures.listeners();
	}

	get state(): ClientState {
		return this.#state;
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
		const { WebSocket } = this.#settings;
		mustBe(WebSocket, 'WebSocket', 'given, such as that of the package ws', WebSocket);
		if (this.#state === 'idle' || this.#state === 'closed') {
			this.#ready = deferred();
			this.#life = new AbortController();
			this.#readyAt = 0;
			this.#startOver();
			watchPageEvents(
				() => void this.#connection?.probe(),
				() => this.#mayBeOnline(),
				this.#life.signal,
			);
			void this.#open();
		} else if (this.#state === 'waiting') this.#openNow();
		else await this.ping().catch(() => {});
		return this.#ready?.promise;
	}

	/** See `SocketClient.ping`. */
	async ping(options: PingOptions = {}): Promise<number> {
		const { timeoutMs } = checked('ping()', options, { timeoutMs: 4_000 });
		const roundTrip = this.#connection?.probe(timeoutMs);
		if (roundTrip) return roundTrip;
		throw new SocketRequestError(BuiltIn.ping, 'disconnected', `the client is ${this.#state}`);
	}

	/** See `SocketClient.renew`. */
	async renew(): Promise<void> {
		if (this.#renewal) return this.#renewal.renew();
		throw new SocketRequestError(BuiltIn.auth, 'disconnected', `the client is ${this.#state}`);
	}

	/** Closes the connection. Resolves when it has ended, or after a timeout. Never rejects. */
	async close(): Promise<void> {
		const connection = this.#connection;
		if (this.#state !== 'closed') {
			this.#closing = connection?.close().then(() => this.#reportUnconfirmed(connection));
			this.#stop();
		}
		await this.#closing;
	}

	#become(state: ClientState, change: Omit<StateChange, 'previous'> = {}): void {
		const previous = this.#state;
		if (previous === state) return;
		this.#state = state;
		this.states.call(state, { ...change, previous });
	}

	async #open(): Promise<void> {
		const life = this.#life as AbortController;
		const { signal } = life;
		this.#become('connecting');
		// A listener may have called `close()`.
		if (signal.aborted) return;
		const { WebSocket } = this.#settings;
		let stage: ErrorStage = 'auth';
		try {
			const token = await this.#credentials(life);
			if (signal.aborted) return;
			stage = 'connect';
			// Fails, for example, if the page's security policy forbids the connection. `connect()` rejects if there is
			// no class.
			const socket = new (WebSocket as WebSocketConstructor)(this.#url, SUBPROTOCOLS);
			this.#connection = new Connection(socket, token, this.#settings, {
				...this.#events,
				ready: (connection, answer) => this.#opened(connection, answer),
				ended: (end, error) => this.#ended(end, error),
			});
		} catch (error) {
			if (!signal.aborted) this.#ended({ code: 1006, reason: `${stage} failed` }, toError(error), stage);
		}
	}

	#credentials(life: AbortController): Promise<unknown> {
		const { auth, connectTimeoutMs } = this.#settings;
		return within(connectTimeoutMs, life, 'auth()', async (call) => {
			const credentials = await auth?.({ signal: call });
			// It must be possible to write them as JSON.
			JSON.stringify(credentials);
			return credentials;
		});
	}

	#opened(connection: Connection, answer: AuthAnswer): void {
		const life = this.#life as AbortController;
		this.#renewal = new Renewal(connection, () => this.#credentials(life), this.#failures, this.#settings.reconnect);
		this.#renewal.accepted(answer);
		this.#readyAt = Date.now();
		this.#ready?.resolve();
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
		// After this many failed attempts, their cause is reported, unless it is known already.
		const explainAfter = 3;
		const wasReady = this.#state === 'ready';
		const { signal } = this.#life as AbortController;
		const connection = this.#connection;
		this.#detach();
		if (connection) this.#reportUnconfirmed(connection);
		if (error) this.#tell(error, stage);
		// A listener may have called `close()`, and even `connect()` again.
		if (signal.aborted) return;
		if (wasReady) this.#startOver();
		else this.#attemptsLeft--;
		let hint = readRetryHint(end.reason);
		if (this.#mayRenew && isExpired(end)) {
			this.#mayRenew = false;
			hint = 0;
		} else if (isTerminal(end)) return this.#stop(end);
		const failures = ++this.#failedAttempts;
		const { reconnect } = this.#settings;
		const isUnexplained = !wasReady && !error;
		if (this.#attemptsLeft > 0) {
			// The server's first hint is followed exactly. After failed attempts, the delay has a lower bound too, so that
			// hints can't make the client reconnect in a tight loop.
			this.#isDelayOfServer = hint !== undefined;
			const least = this.#isDelayOfServer && failures === 1 ? 0 : fullJitter(failures - 1, reconnect);
			const retryInMs = Math.round(Math.max(hint ?? 0, least));
			this.#retryTimer = setTimeout(() => void this.#open(), retryInMs);
			if (isUnexplained && failures >= explainAfter && this.#told === undefined) void this.#explain(end);
			this.#become('waiting', { end, retryInMs });
		} else if (isUnexplained && !end.reason) void this.#explain(end);
		else this.#stop(end);
	}

	/** Called before the first attempt, and when a connection that was ready has ended. */
	#startOver(): void {
		// If a connection is lost sooner after it was ready, in milliseconds, it counts as a failed attempt.
		const stableMs = 5_000;
		this.#mayRenew = true;
		this.#attemptsLeft = this.#settings.reconnect.maxAttempts;
		if (Date.now() - this.#readyAt <= stableMs) return;
		this.#failedAttempts = 0;
		this.#told = undefined;
	}

	#detach(): void {
		const connection = this.#connection;
		if (!connection) return;
		this.#connection = undefined;
		this.#renewal?.stop();
		this.#renewal = undefined;
		if (this.#state === 'ready') this.#ready = deferred();
		this.#events.lost(connection, !!this.#life?.signal.aborted);
	}

	#reportUnconfirmed({ unconfirmed }: Connection): void {
		if (unconfirmed > 0) this.#failures.report(new UnconfirmedMessagesError(unconfirmed), 'send');
	}

	/** Finds out why no connection becomes ready, and reports it, or stops if no attempts are left. */
	async #explain(end: ConnectionEnd): Promise<void> {
		const life = this.#life as AbortController;
		this.#told ??= '';
		const error = await diagnose(this.#url, end, this.#settings.connectTimeoutMs, life);
		if (life.signal.aborted || this.#state === 'ready') return;
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
		void this.#open();
	}

	/** Stops reconnecting. @param end the reason; undefined if `close()` was called */
	#stop(end?: ConnectionEnd): void {
		this.end = end;
		clearTimeout(this.#retryTimer);
		this.#life?.abort();
		this.#detach();
		const error = new ClientClosedError(end);
		this.#ready?.reject(error);
		this.#become('closed', end && { end });
		// A state listener may have called `connect()` again.
		if (this.#state === 'closed') this.#events.closed(error);
	}
}
