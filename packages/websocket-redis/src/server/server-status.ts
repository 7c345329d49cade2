import type { BusHandlers } from '@orijs/websocket';
import { RedisConnectionLostError } from '../errors.ts';

/** Whether messages pass over one server. Reports each change, and each new cause of an outage once. */
export class ServerStatus {
	readonly #endpoint: string;
	readonly #handlers: Pick<BusHandlers, 'status' | 'error'>;
	readonly #ending: AbortSignal;
	#degraded: string | undefined;
	/** The cause of the outage that was reported last. */
	#reportedError: string | undefined;

	/** @param ending reports nothing once it is aborted */
	constructor(endpoint: string, handlers: Pick<BusHandlers, 'status' | 'error'>, ending: AbortSignal) {
		this.#endpoint = endpoint;
		this.#handlers = handlers;
		this.#ending = ending;
	}

	/** Why messages may be missed; undefined while they pass. */
	get degraded(): string | undefined {
		return this.#degraded;
	}

	/** Starts as degraded, which is not reported: the server was never ready. */
	notConnectedYet(): void {
		this.#degraded = `Redis at ${this.#endpoint}: not connected yet`;
	}

	degrade(reason: string): void {
		if (this.#ending.aborted || this.#degraded !== undefined) return;
		this.#degraded = `Redis at ${this.#endpoint}: ${reason}`;
		this.#handlers.status({ state: 'degraded', reason: this.#degraded });
	}

	/** Reports why a connection was lost, unless it is the cause reported last. */
	lost(cause: string | undefined): void {
		if (cause === undefined || cause === this.#reportedError || this.#ending.aborted) return;
		this.#reportedError = cause;
		this.#handlers.error(new RedisConnectionLostError(this.#endpoint, { cause: new Error(cause) }), 'connect');
	}

	ready(): void {
		if (this.#degraded === undefined) return;
		this.#degraded = undefined;
		this.#reportedError = undefined;
		this.#handlers.status({ state: 'ready' });
	}
}
