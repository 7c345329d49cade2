import type { BusHandlers } from '@orijs/websocket';
import { RedisConnectionLostError } from '../errors.ts';

/** Tracks whether messages get through over a server. Reports each change, and each new cause of an outage once. */
export class ServerStatus {
	readonly #endpoint: string;
	readonly #handlers: Pick<BusHandlers, 'status' | 'error'>;
	readonly #ending: AbortSignal;
	#degraded: string | undefined;
	/** The cause of an outage that was last reported. */
	#reportedError: string | undefined;

	/** @param ending once it is aborted, nothing is reported any longer */
	constructor(endpoint: string, handlers: Pick<BusHandlers, 'status' | 'error'>, ending: AbortSignal) {
		this.#endpoint = endpoint;
		this.#handlers = handlers;
		this.#ending = ending;
	}

	/** The reason why messages may be lost; undefined while messages get through. */
	get degraded(): string | undefined {
		return this.#degraded;
	}

	/** Makes the server degraded without reporting it, because it was never ready. */
	notConnectedYet(): void {
		this.#degraded = `Redis at ${this.#endpoint}: not connected yet`;
	}

	degrade(reason: string): void {
		if (this.#ending.aborted || this.#degraded !== undefined) return;
		this.#degraded = `Redis at ${this.#endpoint}: ${reason}`;
		this.#handlers.status({ state: 'degraded', reason: this.#degraded });
	}

	/** Reports why a connection was lost, unless that cause was the last one reported. */
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
