import type { Redis, RedisOptions } from 'ioredis';
import { ConnectionFunctionError, InvalidRedisOptionError } from '../errors.ts';
import { bounded } from './bounded.ts';

/**
 * Provides the options of connections to one server. They are complete: they include those that this package requires.
 */
export interface ConnectionSource {
	/** The options with which clients are created. */
	readonly initial: RedisOptions;
	/** Returns the options of a new connection. Called for each one, because credentials may have changed. */
	ask(): RedisOptions | Promise<RedisOptions>;
}

/**
 * Asks for options. Rejects if that takes longer than `ms`, or once the signal is aborted.
 *
 * @throws {ConnectionFunctionError} {InvalidRedisOptionError}
 */
export function askWithin<T>(ms: number, ask: () => T | Promise<T>, signal: AbortSignal): Promise<T> {
	return bounded(ms, signal, ask, () => new ConnectionFunctionError(new Error(`no result within ${ms} ms`)));
}

/**
 * Sets the options of a client's next connection. The client's options are changed in place, because its connector
 * holds the same object.
 *
 * @throws {InvalidRedisOptionError} the database has changed; the names of channels contain it
 */
export function renewOptions(client: Redis, options: RedisOptions): void {
	if (options.db !== client.options.db) {
		throw new InvalidRedisOptionError(
			`the database of a running provider can't change from ${client.options.db} to ${options.db}`,
		);
	}
	const own = client.options as Record<string, unknown>;
	for (const name of Object.keys(own)) if (!(name in options)) delete own[name];
	Object.assign(own, options);
}
