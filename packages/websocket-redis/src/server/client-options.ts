import { Redis, type RedisOptions } from 'ioredis';
import { InvalidRedisOptionError, RedisConnectError } from '../errors.ts';

/** A server, or the primary of a Sentinel group: ioredis options, a URL, or an instance to duplicate. */
export type SingleConnection = RedisOptions | string | Redis;

/** The longest delay between two attempts to reconnect, in milliseconds. */
const MAX_RETRY_DELAY_MS = 1_000;

/**
 * Options for every connection, which override the user's: with ioredis's defaults, messages would be delivered late
 * after an outage, or twice.
 */
const REQUIRED = {
	lazyConnect: true,
	enableOfflineQueue: false,
	autoResubscribe: false,
	autoResendUnfulfilledCommands: false,
	// Pending commands fail when their connection does.
	maxRetriesPerRequest: 0,
	replyMapping: 'legacy',
	// Channels already have the provider's own prefix.
	keyPrefix: '',
	// A publish that the server refused must not be sent again.
	reconnectOnError: null,
	// `close` destroys the stream at once; ioredis's own timer for that must not keep the process alive.
	disconnectTimeout: 10,
	retryStrategy: (attempt: number): number =>
		Math.random() * Math.min(MAX_RETRY_DELAY_MS, 50 * 2 ** Math.min(attempt, 10)),
} satisfies RedisOptions;

/** Creates a client, not connected yet. Once `connect` has been called, it reconnects until it is closed. */
export function createClient(connection: SingleConnection, connectTimeout: number): Redis {
	const required = { ...REQUIRED, connectTimeout };
	if (typeof connection === 'string') {
		if (!/^rediss?:\/\//.test(connection)) {
			throw new InvalidRedisOptionError(
				`connection must be a redis:// or rediss:// URL, not one that begins with ${JSON.stringify(/^\w*/.exec(connection)?.[0])}`,
			);
		}
		return new Redis(withoutRequired(connection), required);
	}
	if (typeof connection !== 'object' || connection === null) {
		throw new InvalidRedisOptionError(
			`connection must be ioredis options such as { host, port }, a redis:// URL or an ioredis instance, not ${String(connection)}`,
		);
	}
	if (!isInstance(connection)) return new Redis({ ...connection, ...required });
	if (connection.options === undefined) {
		throw new InvalidRedisOptionError('connection must be an ioredis instance, not one of another Redis client');
	}
	return connection.duplicate(required);
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

/**
 * Connects a client. Retries until `timeoutMs` has passed or `signal` is aborted, but not if the server refuses the
 * connection, for example because of a wrong password.
 *
 * @throws {RedisConnectError} with the endpoint and the cause
 */
export async function connect(client: Redis, timeoutMs: number, signal: AbortSignal): Promise<void> {
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	let cause: Error | undefined;
	const fail = (problem: string): void => reject(new RedisConnectError(endpointOf(client), problem, { cause }));
	const onError = (error: Error): void => {
		cause = error;
		if (isRefusal(error)) fail('refused the connection');
	};
	const timer = setTimeout(() => fail(`could not be reached within ${timeoutMs} ms`), timeoutMs);
	const onAbort = (): void => reject(signal.reason);
	signal.addEventListener('abort', onAbort);
	client.on('ready', resolve).on('error', onError);
	// The promise of `connect` covers only the first attempt.
	client.connect().catch(onError);
	try {
		await promise;
	} finally {
		clearTimeout(timer);
		signal.removeEventListener('abort', onAbort);
		client.off('ready', resolve).off('error', onError);
	}
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
