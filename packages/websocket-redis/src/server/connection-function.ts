import { show } from '@orijs/websocket/internal';
import type { RedisOptions } from 'ioredis';
import { ConnectionFunctionError, InvalidRedisOptionError } from '../errors.ts';
import { createClient, mustBeUrl, type SingleConnection } from './client-options.ts';
import { foreignClient, isIoredis } from './client-kinds.ts';

/**
 * Returns the options of a connection, such as credentials that expire. Called for each new connection, and once at
 * start.
 */
export type RedisConnectionFunction = () => RedisOptions | string | Promise<RedisOptions | string>;

/**
 * Returns the complete options for a new connection. The options of an instance or object are read again, because they
 * may have changed.
 *
 * @throws {ConnectionFunctionError} {InvalidRedisOptionError}
 */
export function optionsOf(
	connection: SingleConnection | RedisConnectionFunction,
	connectTimeout: number,
): RedisOptions | Promise<RedisOptions> {
	if (typeof connection !== 'function') return createClient(connection, connectTimeout).options;
	return call(connection).then((given) => createClient(given, connectTimeout).options);
}

/**
 * Calls a connection function and checks its result.
 *
 * @throws {ConnectionFunctionError} the function failed
 * @throws {InvalidRedisOptionError} its result is neither an object of options nor a URL
 */
export async function call(connection: RedisConnectionFunction): Promise<RedisOptions | string> {
	let given: unknown;
	try {
		given = await connection();
	} catch (cause) {
		throw new ConnectionFunctionError(cause);
	}
	if (typeof given === 'string') mustBeUrl('the result of the connection function', given);
	else mustBeOptions(given);
	return given as RedisOptions | string;
}

function mustBeOptions(given: unknown): void {
	const refused = otherThanOptions(given);
	if (refused === undefined) return;
	throw new InvalidRedisOptionError(
		`the connection function must return ioredis options or a redis:// URL, not ${refused}`,
	);
}

function otherThanOptions(given: unknown): string | undefined {
	if (typeof given !== 'object' || given === null || Array.isArray(given)) return show(given);
	if (isIoredis(given)) return 'an ioredis instance';
	if ('cluster' in given) return 'a Cluster: use { cluster: [...], options: function } instead';
	return foreignClient(given);
}
