import { Redis, type RedisOptions } from 'ioredis';
import { InvalidRedisOptionError, RedisConnectError } from '../errors.ts';

/** One server, or the master of a Sentinel group: ioredis options, a URL, or an instance to duplicate. */
export type SingleConnection = RedisOptions | string | Redis;

/** Tries to reconnect are never further apart than this, in milliseconds. */
const MAX_RETRY_DELAY_MS = 1_000;

/**
 * What every connection of ours must have, whatever the user's options say: ioredis's defaults would deliver publishes late
 * after an outage, or twice.
 */
const OURS = {
	lazyConnect: true,
	enableOfflineQueue: false,
	autoResubscribe: false,
	autoResendUnfulfilledCommands: false,
	// Commands without an answer fail when their connection does.
	maxRetriesPerRequest: 0,
	replyMapping: 'legacy',
	// Channels have the provider's prefix, on the way out and in.
	keyPrefix: '',
	// A publish that the server refused must not be tried again.
	reconnectOnError: null,
	// How long a connection that was told to end may take; ours are cut right after, and a timer is not to outlive them.
	disconnectTimeout: 10,
	retryStrategy: (attempt: number): number =>
		Math.random() * Math.min(MAX_RETRY_DELAY_MS, 50 * 2 ** Math.min(attempt, 10)),
} satisfies RedisOptions;

/** A connection of our own, not opened yet. It reconnects for ever once `connect` was called. */
export function createClient(connection: SingleConnection, connectTimeout: number): Redis {
	const ours = { ...OURS, connectTimeout };
	if (typeof connection === 'string') {
		if (!/^rediss?:\/\//.test(connection)) {
			throw new InvalidRedisOptionError(
				`connection must be a redis:// or rediss:// URL, not one that begins with ${JSON.stringify(/^\w*/.exec(connection)?.[0])}`,
			);
		}
		return new Redis(withoutOurs(connection), ours);
	}
	if (typeof connection !== 'object' || connection === null) {
		throw new InvalidRedisOptionError(
			`connection must be ioredis options such as { host, port }, a redis:// URL or an ioredis instance, not ${String(connection)}`,
		);
	}
	if (!isInstance(connection)) return new Redis({ ...connection, ...ours });
	if (connection.options === undefined) {
		throw new InvalidRedisOptionError('connection must be an ioredis instance, not one of another Redis client');
	}
	return connection.duplicate(ours);
}

/** In ioredis what a URL's query says wins over options. Ours are not to be overruled. */
function withoutOurs(url: string): string {
	const [base, query] = url.split('?', 2);
	if (query === undefined) return url;
	const params = new URLSearchParams(query);
	for (const name of [...Object.keys(OURS), 'connectTimeout']) params.delete(name);
	return params.size === 0 ? `${base}` : `${base}?${params.toString()}`;
}

function isInstance(connection: RedisOptions | Redis): connection is Redis {
	return typeof (connection as Partial<Redis>).duplicate === 'function';
}

/** Where a client connects to, for messages: without user or password. */
export function endpointOf({ options }: Redis): string {
	if (options.path) return options.path;
	if (options.sentinels) return `sentinel group ${options.name}`;
	return `${options.host ?? 'localhost'}:${options.port ?? 6379}`;
}

/**
 * Opens a client; tries again until `timeoutMs` is over or `signal` aborts, but not when the server answers with a refusal, such
 * as a wrong password.
 *
 * @throws {RedisConnectError} names endpoint and cause
 */
export async function connect(client: Redis, timeoutMs: number, signal: AbortSignal): Promise<void> {
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	let cause: Error | undefined;
	const fail = (how: string): void => reject(new RedisConnectError(endpointOf(client), how, { cause }));
	const onError = (error: Error): void => {
		cause = error;
		if (isRefusal(error)) fail('refused the connection');
	};
	const timer = setTimeout(() => fail(`could not be reached within ${timeoutMs} ms`), timeoutMs);
	const onAbort = (): void => reject(signal.reason);
	signal.addEventListener('abort', onAbort);
	client.on('ready', resolve).on('error', onError);
	// Its own promise only tells of the first attempt.
	client.connect().catch(onError);
	try {
		await promise;
	} finally {
		clearTimeout(timer);
		signal.removeEventListener('abort', onAbort);
		client.off('ready', resolve).off('error', onError);
	}
}

/** Whether Redis itself said no, as opposed to a connection that failed. */
export function isRefusal(error: unknown): error is Error {
	return error instanceof Error && error.name === 'ReplyError';
}
