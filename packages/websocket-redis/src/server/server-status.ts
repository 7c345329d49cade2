import type { BusHandlers } from '@orijs/websocket';
import type { Redis } from 'ioredis';
import { RedisConnectionLostError } from '../errors.ts';
import { endpointOf } from './client-options.ts';

/** The maximum number of causes reported for one outage. */
const MAX_CAUSES = 10;

/** Tracks whether messages get through over a server. Reports each change, and each new cause of an outage once. */
export class ServerStatus {
	readonly #client: Redis;
	readonly #handlers: Pick<BusHandlers, 'status' | 'error'>;
	readonly #ending: AbortSignal;
	#degraded: string | undefined;
	/** The causes of an outage that were reported. */
	readonly #reported = new Set<string>();

	/**
	 * @param client a client of the server, whose address may change
	 * @param ending once it is aborted, nothing more is reported
	 */
	constructor(client: Redis, handlers: Pick<BusHandlers, 'status' | 'error'>, ending: AbortSignal) {
		this.#client = client;
		this.#handlers = handlers;
		this.#ending = ending;
	}

	/** The reason why messages may be lost; undefined while messages get through. */
	get degraded(): string | undefined {
		return this.#degraded;
	}

	/** Marks the server as degraded. Does not report that, because the server has never been ready. */
	notConnectedYet(): void {
		this.#degraded = `Redis at ${endpointOf(this.#client)}: not connected yet`;
	}

	degrade(reason: string): void {
		if (this.#ending.aborted || this.#degraded !== undefined) return;
		this.#degraded = `Redis at ${endpointOf(this.#client)}: ${reason}`;
		this.#handlers.status({ state: 'degraded', reason: this.#degraded });
	}

	/** Reports why a connection was lost, unless this cause, or the maximum number of causes, has been reported. */
	lost(cause: string | undefined): void {
		if (cause === undefined || this.#reported.has(cause) || this.#ending.aborted) return;
		// A function may fail with a different message each time.
		if (this.#reported.size === MAX_CAUSES) return;
		this.#reported.add(cause);
		this.#handlers.error(
			new RedisConnectionLostError(endpointOf(this.#client), { cause: new Error(cause) }),
			'connect',
		);
	}

	ready(): void {
		if (this.#degraded === undefined) return;
		this.#degraded = undefined;
		this.#reported.clear();
		this.#handlers.status({ state: 'ready' });
	}
}
