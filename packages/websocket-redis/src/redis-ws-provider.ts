import { type HistoryRules, type Logger, WsProvider } from '@orijs/websocket';
import { InvalidRedisOptionError } from './errors.ts';
import { createBus, type RedisConnection } from './create-bus.ts';

export interface RedisWsProviderOptions {
	/**
	 * Where Redis is: ioredis options (`{ host, port }`, `{ sentinels, name }`, …), a `redis://` or `rediss://` URL,
	 * `{ cluster: [{ host, port }, …], options }`, or an ioredis instance, whose options are taken over and which is never closed.
	 */
	readonly connection: RedisConnection;
	/** What channels on Redis begin with, before `:`; applications that share a Redis use different ones. Default `orijs`. */
	readonly keyPrefix?: string;
	/** How long `start()` tries to reach Redis before it rejects, in milliseconds. Default 5,000. */
	readonly connectTimeout?: number;
	/**
	 * Which topics keep their last messages on Redis, by pattern, as in `{ 'chat:*': { size: 500, ttlMs: 3_600_000 } }`; `*` stands for any
	 * characters, and the first pattern that fits counts. All nodes need the same. Default: none.
	 */
	readonly history?: HistoryRules;
	/** How often a node shows on Redis that it is alive, in milliseconds; grows with the number of nodes above 50. Default 500. */
	readonly heartbeatMs?: number;
	/** How long a topic that emptied stays subscribed, in milliseconds. Default 1,000. */
	readonly graceMs?: number;
	/** Default: the console, quiet at debug. */
	readonly logger?: Logger;
}

const KEY_PREFIX = /^[A-Za-z0-9_:.-]{1,128}$/;

/** The provider for many processes and machines: messages between them go over Redis publish/subscribe. */
export class RedisWsProvider extends WsProvider {
	/** @throws {InvalidRedisOptionError} */
	constructor(options: RedisWsProviderOptions) {
		const { connection, keyPrefix = 'orijs', connectTimeout = 5_000, ...shared } = options ?? {};
		if (!KEY_PREFIX.test(keyPrefix)) {
			throw new InvalidRedisOptionError(
				`keyPrefix is 1 to 128 characters out of A-Z a-z 0-9 _ : . -, not ${JSON.stringify(keyPrefix)}`,
			);
		}
		if (!(connectTimeout > 0 && connectTimeout <= MAX_TIMER_MS)) {
			throw new InvalidRedisOptionError(`connectTimeout is a number of milliseconds above 0, not ${connectTimeout}`);
		}
		super({ ...shared, startTimeoutMs: connectTimeout, bus: createBus(connection, keyPrefix, connectTimeout) });
	}
}

/** The longest delay a timer can have. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** @throws {InvalidRedisOptionError} */
export function createRedisWsProvider(options: RedisWsProviderOptions): RedisWsProvider {
	return new RedisWsProvider(options);
}
