import { type AuthAnswer, readRetryHint } from '@orijs/websocket/protocol';
import { Connection } from './connection.ts';
import { type Deferred, deferred } from '../deferred.ts';
import { ClientClosedError, UnconfirmedMessagesError } from '../errors.ts';
import type { Failures } from '../failures.ts';
import type { Incoming } from './read-frame.ts';
import { Listeners } from '../listeners.ts';
import type { Settings } from '../options.ts';
import { fullJitter, isTerminal } from './backoff.ts';
import type { ClientState, ConnectionEnd, StateChange } from './state.ts';
import { watchPageEvents } from './page-events.ts';
import { within } from '../within.ts';

export interface ReconnectingConnectionEvents {
	/** There is a connection whose guards have passed. The state changes after this. */
	ready(connection: Connection, answer: AuthAnswer): void;
	/** Nothing goes over it any more. The state changes after this. */
	lost(connection: Connection): void;
	/** Nothing is tried any more, until `connect()`. The state has changed. */
	closed(error: ClientClosedError): void;
	/** Something came that answers nothing that was asked. */
	heard(connection: Connection, incoming: Exclude<Incoming, { kind: 'answer' | 'raw' }>): void;
	/** Text that is no frame of the protocol, or bytes. */
	raw(data: string | ArrayBuffer): void;
}

/** A connection that ended sooner than that after it was ready counts as a try that failed. */
const STABLE_MS = 5_000;

/** Gets a connection and, whenever it is lost, another one, for as long as that is wanted and makes sense. */
export class ReconnectingConnection {
	readonly #url: string;
	readonly #settings: Settings;
	readonly #failures: Failures;
	readonly #events: ReconnectingConnectionEvents;
	readonly #stateListeners: Listeners<[ClientState, StateChange]>;
	#state: ClientState = 'idle';
	/** Why it has given up. */
	#end: ConnectionEnd | undefined;
	/** What `connect()` waits for. */
	#ready: Deferred<void> = deferred();
	#connection: Connection | undefined;
	/** Counts what was begun, so that what comes of something given up is told from what is awaited. */
	#attempt = 0;
	/** Tries in a row that led to nothing lasting. */
	#failedTries = 0;
	#readyAt = 0;
	/** Whether the present wait is one that the server asked for. */
	#isToldToWait = false;
	#retryTimer: ReturnType<typeof setTimeout> | undefined;
	#unwatch: (() => void) | undefined;
	#closing: Promise<void> = Promise.resolve();

	constructor(url: string, settings: Settings, failures: Failures, events: ReconnectingConnectionEvents) {
		this.#url = url;
		this.#settings = settings;
		this.#failures = failures;
		this.#events = events;
		this.#stateListeners = new Listeners(failures);
	}

	get state(): ClientState {
		return this.#state;
	}

	/** Why nothing is tried any more; undefined if that was wanted. */
	get end(): ConnectionEnd | undefined {
		return this.#end;
	}

	onStateChange(listener: (state: ClientState, change: StateChange) => unknown): () => void {
		return this.#stateListeners.add(listener);
	}

	/** Resolves when it is ready; a wait for the next try is over. @throws {ClientClosedError} */
	connect(): Promise<void> {
		if (this.#state === 'idle' || this.#state === 'closed') {
			if (this.#state === 'closed') this.#ready = deferred();
			this.#failedTries = 0;
			this.#unwatch = watchPageEvents({
				offline: () => this.#connection?.probe(),
				worthATry: () => this.#worthATry(),
			});
			this.#open();
		} else if (this.#state === 'waiting') this.#tryNow();
		return this.#ready.promise;
	}

	/** Resolves when the connection has ended, or takes too long to. Never rejects. */
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
		// A listener may have closed it.
		if (attempt !== this.#attempt) return;
		const { auth, connectTimeoutMs } = this.#settings;
		if (auth === undefined) return this.#connect(undefined);
		within(connectTimeoutMs, 'auth()', async () => mustBeJson(await auth())).then(
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
				heard: (incoming) => isCurrent() && this.#events.heard(connection, incoming),
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
		// A listener may have closed it.
		if (this.#connection === connection) this.#become('ready');
	}

	#lost(connection: Connection, end: ConnectionEnd): void {
		const wasReady = this.#state === 'ready';
		const attempt = this.#attempt;
		this.#detach(connection);
		this.#reportUnconfirmed(connection);
		// A listener may have closed it, or more.
		if (attempt !== this.#attempt) return;
		if (isTerminal(end.code)) return this.#stop(end);
		if (wasReady) this.#ready = deferred();
		if (wasReady && Date.now() - this.#readyAt > STABLE_MS) this.#failedTries = 0;
		this.#retry(end);
	}

	#detach(connection: Connection): void {
		this.#connection = undefined;
		this.#events.lost(connection);
	}

	#reportUnconfirmed({ unconfirmed }: Connection): void {
		if (unconfirmed > 0) this.#failures.report(new UnconfirmedMessagesError(unconfirmed), 'send');
	}

	#retry(end: ConnectionEnd): void {
		const hint = readRetryHint(end.reason);
		// A hint is honoured, but is no reason to come back again and again in no time.
		const least =
			hint !== undefined && this.#failedTries === 0 ? 0 : fullJitter(this.#failedTries, this.#settings.reconnect);
		const retryInMs = Math.round(Math.max(hint ?? 0, least));
		this.#failedTries++;
		this.#isToldToWait = hint !== undefined;
		this.#retryTimer = setTimeout(() => this.#open(), retryInMs);
		this.#become('waiting', { end, retryInMs });
	}

	/** Something has changed for the better: a try that waits for its time need not, unless it was the server that said so. */
	#worthATry(): void {
		this.#connection?.probe();
		if (this.#state === 'waiting' && !this.#isToldToWait) this.#tryNow();
	}

	#tryNow(): void {
		clearTimeout(this.#retryTimer);
		this.#open();
	}

	/** Nothing is tried any more. @param end why; undefined if that was wanted */
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
		// A listener may have begun anew.
		if (this.#state === 'closed') this.#events.closed(error);
	}
}

/** @throws {TypeError} JSON has no way to write it */
function mustBeJson<T>(value: T): T {
	JSON.stringify(value);
	return value;
}
