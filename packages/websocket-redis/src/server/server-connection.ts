import { toError } from '@orijs/websocket/internal';
import { Redis } from 'ioredis';
import { ConnectionFunctionError, InvalidRedisOptionError, RedisConnectError } from '../errors.ts';
import { bounded } from './bounded.ts';
import { endpointOf, isRefusal } from './client-options.ts';
import { askWithin, type ConnectionSource, renewOptions } from './connection-source.ts';

/** How long a connection may take to become ready, in milliseconds, before it is dropped and a new one is opened. */
const READY_WITHIN_MS = 2_000;
/** How long it may take to get the options of a connection, in milliseconds. */
const OPTIONS_WITHIN_MS = 10_000;
/** The longest delay between two attempts to connect, in milliseconds. */
const MAX_RETRY_DELAY_MS = 1_000;

/** How many connections have become ready. */
let connections = 0;

export interface ServerConnectionHandlers {
	/** Called when the connection is ready: commands can be sent. */
	onReady(): void;
	/** Called when the connection is lost, or an attempt to connect has failed. Pending commands have failed. */
	onLost(): void;
}

/**
 * Keeps a connection to Redis. Until it is closed, it reconnects, each time with the current options of its source. It
 * can be dropped if it turns out to be dead.
 */
export class ServerConnection {
	readonly client: Redis;
	/** Differs for each connection that has become ready, in this process. */
	number = 0;
	/** The run id of the server that the connection leads to, if known. */
	runId: string | undefined;
	/** When the server was last known to be the current primary, by the monotonic clock. */
	verifiedAt = 0;
	/** Whether this node was ready at some time while the connection led to this server. */
	wasReady = false;
	readonly #source: ConnectionSource;
	#handlers: ServerConnectionHandlers | undefined;
	/** Pending while `open` waits for the connection. */
	#opening: PromiseWithResolvers<void> | undefined;
	#failure: Error | undefined;
	/** The number of attempts that have failed in a row. */
	#failures = 0;
	#retry: ReturnType<typeof setTimeout> | undefined;
	#deadline: ReturnType<typeof setTimeout> | undefined;
	#lostAt: number | undefined;
	/** Aborted by `close`. */
	readonly #ending = new AbortController();

	constructor(source: ConnectionSource) {
		this.#source = source;
		this.client = new Redis({ ...source.initial, replyMapping: 'legacy' });
		// ioredis prints errors that have no listener.
		this.client.on('error', this.#onError).on('ready', this.#onReady).on('end', this.#onEnd);
	}

	/** The message of the last error; undefined once the connection is ready. */
	get lastError(): string | undefined {
		return this.#failure?.message;
	}

	/**
	 * When the connection was lost, by the monotonic clock; undefined unless it is being made again. Still set in
	 * `onReady`.
	 */
	get lostAt(): number | undefined {
		return this.#lostAt;
	}

	get isReady(): boolean {
		return this.client.status === 'ready';
	}

	/** Connects in the background, however long that takes. */
	connect(): void {
		void this.#attempt();
	}

	/**
	 * Connects. Retries until `timeoutMs` has passed or `signal` is aborted, but not if the server refuses the
	 * connection, for example because of a wrong password, or if the options are unavailable or invalid.
	 *
	 * @throws {RedisConnectError} with the endpoint and the cause
	 * @throws {ConnectionFunctionError} {InvalidRedisOptionError} from the source
	 */
	async open(timeoutMs: number, signal: AbortSignal): Promise<void> {
		const opening = Promise.withResolvers<void>();
		const late = (): Error => this.#connectError(`could not be reached within ${timeoutMs} ms`);
		try {
			await bounded(timeoutMs, signal, () => this.#open(opening), late);
		} finally {
			this.#opening = undefined;
		}
	}

	#open(opening: PromiseWithResolvers<void>): Promise<void> {
		this.#opening = opening;
		this.connect();
		return opening.promise;
	}

	/** Calls the handlers from now on. Calls `onLost` immediately if the connection is not ready. */
	watch(handlers: ServerConnectionHandlers): void {
		this.#handlers = handlers;
		this.client.on('connecting', this.#onConnecting);
		if (!this.isReady) this.#lost();
	}

	/** Drops the connection, with everything pending on it, and opens a new one. */
	reset(): void {
		// A graceful close would wait for the server, which may be hanging.
		this.client.stream?.destroy();
	}

	close(): void {
		this.#ending.abort();
		clearTimeout(this.#retry);
		clearTimeout(this.#deadline);
		this.#handlers = undefined;
		this.client.removeAllListeners().on('error', ignore);
		this.client.disconnect();
		this.client.stream?.destroy();
	}

	async #attempt(): Promise<void> {
		const { signal } = this.#ending;
		try {
			renewOptions(this.client, await askWithin(OPTIONS_WITHIN_MS, () => this.#source.ask(), signal));
		} catch (error) {
			if (signal.aborted) return;
			this.#failed(toError(error));
			this.#onEnd();
			return;
		}
		// Most failures have already been reported as an event. The event `end` follows.
		this.client.connect().catch((error: Error) => (this.#failure ??= error));
	}

	#failed(error: Error): void {
		this.#failure = error;
		if (error instanceof ConnectionFunctionError || error instanceof InvalidRedisOptionError) {
			this.#opening?.reject(error);
		} else if (isRefusal(error)) {
			this.#opening?.reject(this.#connectError('refused the connection'));
		}
	}

	#connectError(problem: string): RedisConnectError {
		return new RedisConnectError(endpointOf(this.client), problem, { cause: this.#failure });
	}

	#lost(): void {
		this.#lostAt ??= performance.now();
		clearTimeout(this.#deadline);
		this.#handlers?.onLost();
	}

	readonly #onError = (error: Error): void => {
		this.#failed(error);
		// ioredis would keep a connection whose database could not be selected, and use database 0.
		if (isRefusal(error) && this.client.status === 'connect') this.reset();
	};

	readonly #onReady = (): void => {
		clearTimeout(this.#deadline);
		this.number = ++connections;
		this.#failure = undefined;
		this.#failures = 0;
		this.#opening?.resolve();
		this.#handlers?.onReady();
		this.#lostAt = undefined;
	};

	/** Called when the connection has ended, or an attempt to connect has failed. */
	readonly #onEnd = (): void => {
		this.#lost();
		if (!this.#ending.signal.aborted) this.#retry = setTimeout(() => this.connect(), retryDelay(++this.#failures));
	};

	readonly #onConnecting = (): void => {
		clearTimeout(this.#deadline);
		this.#deadline = setTimeout(() => this.reset(), READY_WITHIN_MS);
	};
}

function retryDelay(failures: number): number {
	return Math.random() * Math.min(MAX_RETRY_DELAY_MS, 50 * 2 ** Math.min(failures, 10));
}

function ignore(): void {}
