import type { Redis, RedisOptions, SentinelAddress } from 'ioredis';
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
 * @throws {InvalidRedisOptionError} the database has changed, which the names of channels contain; or there are
 * Sentinels where there was an address, or the reverse
 */
export function renewOptions(client: Redis, options: RedisOptions): void {
	if (options.db !== client.options.db) {
		throw new InvalidRedisOptionError(
			`the database of a running provider can't change from ${client.options.db} to ${options.db}`,
		);
	}
	// The client would connect to the default address, or to the servers of the former Sentinels.
	if (!client.options.sentinels !== !options.sentinels) {
		const [from, to] = options.sentinels ? ['an address', 'Sentinels'] : ['Sentinels', 'an address'];
		throw new InvalidRedisOptionError(`the connection of a running provider can't change from ${from} to ${to}`);
	}
	const { sentinelIterator } = (client as unknown as SentinelClient).connector;
	// This list is a copy. It does not take those that it has.
	for (const sentinel of options.sentinels ?? []) sentinelIterator?.add(sentinel);
	const own = client.options as Record<string, unknown>;
	for (const name of Object.keys(own)) if (!(name in options)) delete own[name];
	Object.assign(own, options);
}

/** What the types of a client hide: the Sentinels that it asks, those included that others have told it of. */
interface SentinelClient {
	readonly connector: { readonly sentinelIterator?: { add(sentinel: Partial<SentinelAddress>): void } };
}
