import { Redis, type RedisOptions } from 'ioredis';
import { InvalidRedisOptionError, RedisConnectError } from '../errors.ts';

/** One server, or the primary of a Sentinel group: ioredis options, a URL, or an instance to duplicate. */
export type SingleConnection = RedisOptions | string | Redis;

/** The longest delay between two attempts to reconnect, in milliseconds. */
const MAX_RETRY_DELAY_MS = 1_000;

/**
 * The options of every connection, which override the user's: with ioredis's defaults, publishes would be delivered
 * late after an outage, or twice.
 */
const REQUIRED = {
	lazyConnect: true,
	enableOfflineQueue: false,
	autoResubscribe: false,
	autoResendUnfulfilledCommands: false,
	// Commands without a reply fail when their connection does.
	maxRetriesPerRequest: 0,
	replyMapping: 'legacy',
	// Channels already have the provider's prefix, which is also removed from incoming messages.
	keyPrefix: '',
	// A publish that the server refused must not be tried again.
	reconnectOnError: null,
	// The stream is destroyed right after a disconnect; ioredis's own timer must not outlive it.
	disconnectTimeout: 10,
	retryStrategy: (attempt: number): number =>
		Math.random() * Math.min(MAX_RETRY_DELAY_MS, 50 * 2 ** Math.min(attempt, 10)),
} satisfies RedisOptions;

/** A new client, not connected yet. It reconnects until it is closed, once `connect` was called. */
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

/** In ioredis, the query of a URL overrides options. It must not override the required ones. */
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

/** What a client connects to, for error messages and logs: without user or password. */
export function endpointOf({ options }: Redis): string {
	if (options.path) return options.path;
	if (options.sentinels) return `sentinel group ${options.name}`;
	return `${options.host ?? 'localhost'}:${options.port ?? 6379}`;
}

/**
 * Connects a client. Tries again until `timeoutMs` is over or `signal` aborts, but not when the server refuses, for
 * example because of a wrong password.
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
	// The promise of `connect` covers the first attempt only.
	client.connect().catch(onError);
	try {
		await promise;
	} finally {
		clearTimeout(timer);
		signal.removeEventListener('abort', onAbort);
		client.off('ready', resolve).off('error', onError);
	}
}

/** The code that every error reply begins with, such as `ERR`, `NOPERM` or `MOVED`. */
const REPLY_CODE = /^[A-Z][A-Z0-9_]* /;

/**
 * Whether Redis replied with an error, as opposed to a connection that failed. Recognised by its code: the error's
 * class has another name in a minified bundle, and may come from another copy of ioredis. The messages of other errors
 * begin with a word, as in "Connection is closed." or "connect ECONNREFUSED".
 */
export function isRefusal(error: unknown): error is Error {
	return error instanceof Error && REPLY_CODE.test(error.message);
}
