import type { Redis } from 'ioredis';

/** How long a connection may take to become ready, in milliseconds, before it is dropped and a new one is opened. */
const READY_WITHIN_MS = 2_000;

export interface ServerConnectionHandlers {
	/** Called when the connection is ready: commands can be sent. */
	onReady(): void;
	/** Called when the connection is lost. Pending commands have failed. */
	onLost(): void;
}

/** Keeps a connection to Redis, which reconnects until it is closed. It can be dropped if it turns out to be dead. */
export class ServerConnection {
	readonly client: Redis;
	/** The run id of the server that the connection leads to, if known. */
	runId: string | undefined;
	/** When the server was last known to be the current primary, by the monotonic clock. */
	verifiedAt = 0;
	/** Whether this node was ready at some time while the connection led to this server. */
	wasReady = false;
	#handlers: ServerConnectionHandlers | undefined;
	#lastError: string | undefined;
	#deadline: ReturnType<typeof setTimeout> | undefined;
	#lostAt: number | undefined;

	constructor(client: Redis) {
		this.client = client;
		// ioredis prints errors that have no listener.
		client.on('error', this.#onError);
	}

	/** The message of the last error; undefined once the connection is ready. */
	get lastError(): string | undefined {
		return this.#lastError;
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

	/** Calls the handlers from now on. Calls `onLost` immediately if the connection is not ready. */
	watch(handlers: ServerConnectionHandlers): void {
		this.#handlers = handlers;
		this.client.on('ready', this.#onReady).on('close', this.#onClose).on('connecting', this.#onConnecting);
		if (!this.isReady) this.#onClose();
	}

	/** Drops the connection, with everything pending on it; ioredis opens a new one. */
	reset(): void {
		// A graceful close would wait for the server, which may be hanging.
		this.client.stream?.destroy();
	}

	close(): void {
		clearTimeout(this.#deadline);
		this.#handlers = undefined;
		this.client.removeAllListeners().on('error', ignore);
		this.client.disconnect();
		this.client.stream?.destroy();
	}

	readonly #onError = (error: Error): void => {
		this.#lastError = error.message;
	};

	readonly #onReady = (): void => {
		clearTimeout(this.#deadline);
		this.#lastError = undefined;
		this.#handlers?.onReady();
		this.#lostAt = undefined;
	};

	readonly #onClose = (): void => {
		this.#lostAt ??= performance.now();
		clearTimeout(this.#deadline);
		this.#handlers?.onLost();
	};

	readonly #onConnecting = (): void => {
		clearTimeout(this.#deadline);
		this.#deadline = setTimeout(() => this.reset(), READY_WITHIN_MS);
	};
}

function ignore(): void {}
