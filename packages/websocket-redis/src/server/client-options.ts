import { show } from '@orijs/websocket/internal';
import { Redis, type RedisOptions } from 'ioredis';
import { InvalidRedisOptionError } from '../errors.ts';

/** A server, or the primary of a Sentinel group: ioredis options, a URL, or an instance whose options are used. */
export type SingleConnection = RedisOptions | string | Redis;

/**
 * Options for every connection. They override the user's, because with ioredis's defaults, messages would be delivered
 * late after an outage, or twice.
 */
const REQUIRED = {
	lazyConnect: true,
	enableOfflineQueue: false,
	autoResubscribe: false,
	autoResendUnfulfilledCommands: false,
	// When a connection fails, its pending commands fail as well.
	maxRetriesPerRequest: 0,
	replyMapping: 'legacy',
	// Channels already have the provider's own prefix.
	keyPrefix: '',
	// A publish that the server refused must not be sent again.
	reconnectOnError: null,
	// `close` destroys the stream immediately. ioredis's own timer for that must not keep the process alive.
	disconnectTimeout: 10,
	// `ServerConnection` reconnects instead, with options that it asks for again.
	retryStrategy: () => null,
} satisfies RedisOptions;

/** Creates a client that is not connected yet, and that makes only one connection per call of `connect`. */
export function createClient(connection: SingleConnection, connectTimeout: number): Redis {
	const required = { ...REQUIRED, connectTimeout };
	if (typeof connection === 'string') {
		mustBeUrl('connection', connection);
		return withDatabase(new Redis(withoutRequired(connection), required));
	}
	return withDatabase(new Redis({ ...(isInstance(connection) ? connection.options : connection), ...required }));
}

/** @throws {InvalidRedisOptionError} */
export function mustBeUrl(name: string, text: string): void {
	if (/^rediss?:\/\//.test(text)) return;
	const begin = JSON.stringify(/^\w*/.exec(text)?.[0]);
	throw new InvalidRedisOptionError(`${name} must be a redis:// or rediss:// URL, not one that begins with ${begin}`);
}

function withDatabase(client: Redis): Redis {
	const { db } = client.options;
	if (Number.isSafeInteger(db) && Number(db) >= 0) return client;
	throw new InvalidRedisOptionError(`the database must be a whole number, 0 or more, not ${show(db)}`);
}

/** Removes required options from a URL's query: in ioredis, the query would override them. */
function withoutRequired(url: string): string {
	const [base, query] = url.split('?', 2);
	if (query === undefined) return url;
	const params = new URLSearchParams(query);
	for (const name of [...Object.keys(REQUIRED), 'connectTimeout']) params.delete(name);
	return params.size === 0 ? `${base}` : `${base}?${params.toString()}`;
}

function isInstance(connection: RedisOptions | Redis): connection is Redis {
	return typeof (connection as Partial<Redis>).duplicate === 'function';
}

/** Returns the address that a client connects to, without user and password, for error messages and logs. */
export function endpointOf({ options }: Redis): string {
	if (options.path) return options.path;
	if (options.sentinels) return `sentinel group ${options.name}`;
	return `${options.host ?? 'localhost'}:${options.port ?? 6379}`;
}

/** Matches the code with which every error reply begins, such as `ERR`, `NOPERM` or `MOVED`. */
const REPLY_CODE = /^[A-Z][A-Z0-9_]* /;

/**
 * Returns whether an error is an error reply from Redis, as opposed to a failed connection. Error replies are
 * recognized by their code, because a bundler may rename their class, and they may come from another copy of ioredis.
 * The messages of other errors begin with an ordinary word, as in "Connection is closed." or "connect ECONNREFUSED".
 */
export function isRefusal(error: unknown): error is Error {
	return error instanceof Error && REPLY_CODE.test(error.message);
}
