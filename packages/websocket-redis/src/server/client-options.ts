import { show } from '@orijs/websocket/internal';
import { Redis, type RedisOptions } from 'ioredis';
import { InvalidRedisOptionError, RedisConnectionLostError } from '../errors.ts';

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

const HIGHEST_PORT = 65_535;

/** Creates a client that is not connected yet, and that makes only one connection per call of `connect`. */
export function createClient(connection: SingleConnection, connectTimeout: number): Redis {
	const required = { ...REQUIRED, connectTimeout };
	if (typeof connection === 'string') {
		mustBeUrl('connection', connection);
		const client = clientOfUrl(withoutRequired(connection), required);
		return checked(client, { port: client.options.port, db: databaseOf(connection) });
	}
	const given = isInstance(connection) ? connection.options : connection;
	if (given.sentinels && !given.name)
		throw new InvalidRedisOptionError("Sentinels need the name of a primary: { sentinels, name: 'mymaster' }");
	return checked(new Redis({ ...given, ...required }), given);
}

/** Creates a client from a URL, or another address in text. @throws {InvalidRedisOptionError} ioredis can't read it */
export function clientOfUrl(text: string, options: RedisOptions & { replyMapping: 'legacy' }): Redis {
	try {
		return new Redis(text, options);
	} catch {
		// Neither the text nor the cause is shown: both may contain a password.
		throw new InvalidRedisOptionError(
			'the URL of Redis is invalid: it must look like redis://user:password@host:6379/0, ' +
				'with special characters in user and password percent-encoded, and a port from 1 to 65535',
		);
	}
}

/** @throws {InvalidRedisOptionError} */
export function mustBeUrl(name: string, text: string): void {
	if (/^rediss?:\/\//.test(text)) return;
	const begin = JSON.stringify(/^\w*/.exec(text)?.[0]);
	throw new InvalidRedisOptionError(`${name} must be a redis:// or rediss:// URL, not one that begins with ${begin}`);
}

/**
 * Returns the client if ioredis can connect with its port and database.
 *
 * @param given both as they were given, for the error: ioredis turns text into `NaN`
 * @throws {InvalidRedisOptionError}
 */
function checked(client: Redis, given: { readonly port?: unknown; readonly db?: unknown }): Redis {
	const { port, db } = client.options;
	if (!(Number.isInteger(Number(port)) && Number(port) >= 1 && Number(port) <= HIGHEST_PORT)) {
		throw new InvalidRedisOptionError(
			`the port must be a whole number from 1 to ${HIGHEST_PORT}, not ${show(given.port)}`,
		);
	}
	if (!(Number.isSafeInteger(db) && Number(db) >= 0)) {
		throw new InvalidRedisOptionError(`the database must be a whole number, 0 or more, not ${show(given.db)}`);
	}
	return client;
}

function databaseOf(url: string): string | null | undefined {
	const parsed = URL.parse(url);
	return parsed?.pathname.slice(1) || parsed?.searchParams.get('db');
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

/** @throws {RedisConnectionLostError} the client can't send a command now */
export function mustBeReady(client: Redis): void {
	if (client.status !== 'ready' || !client.stream?.writable) throw new RedisConnectionLostError(endpointOf(client));
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
