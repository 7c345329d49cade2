import { type HistoryRules, type Logger, WsProvider } from '@orijs/websocket';
import { show } from '@orijs/websocket/internal';
import { InvalidRedisOptionError } from './errors.ts';
import { createBus, type RedisConnection } from './create-bus.ts';

export interface RedisWsProviderOptions {
	/**
	 * How to connect to Redis: ioredis options (`{ host, port }`, `{ sentinels, name }`, …), a `redis://` or `rediss://`
	 * URL, `{ cluster: [{ host, port }, …], options }`, or an ioredis instance. If it is an instance, only its options
	 * are used, and it is never closed.
	 */
	readonly connection: RedisConnection;
	/**
	 * The prefix of channels and keys on Redis; a `:` follows it. Applications that share a Redis must have different
	 * prefixes. Default `orijs`.
	 */
	readonly keyPrefix?: string;
	/** How long `start()` tries to reach Redis before it rejects, in milliseconds. Default 5,000. */
	readonly connectTimeout?: number;
	/**
	 * The topics whose latest messages are kept on Redis, by pattern, such as
	 * `{ 'chat:*': { size: 500, ttlMs: 3_600_000 } }`. `*` matches any characters, and the first matching pattern
	 * applies. Must be the same on all nodes. Default: no topics.
	 */
	readonly history?: HistoryRules;
	/**
	 * The time between a node's heartbeats, in milliseconds. Above 50 nodes, the actual time grows in proportion to
	 * their number. Default 500.
	 */
	readonly heartbeatMs?: number;
	/** How long a topic stays subscribed on Redis after its last socket has left, in milliseconds. Default 1,000. */
	readonly graceMs?: number;
	/** Default: the console, without debug lines. */
	readonly logger?: Logger;
}

/** The options that `WsProvider` has, too. */
const SHARED = ['history', 'heartbeatMs', 'graceMs', 'logger'] as const satisfies (keyof RedisWsProviderOptions)[];

const KEY_PREFIX = /^[A-Za-z0-9_:.-]{1,128}$/;

/** The provider for several processes and machines. They exchange messages over Redis publish/subscribe. */
export class RedisWsProvider extends WsProvider {
	/** @throws {InvalidRedisOptionError} */
	constructor(options: RedisWsProviderOptions) {
		const { connection, keyPrefix = 'orijs', connectTimeout = 5_000, ...shared } = options ?? {};
		const unknown = Object.keys(shared).find((name) => !(SHARED as readonly string[]).includes(name));
		if (unknown !== undefined) {
			const known = ['connection', 'keyPrefix', 'connectTimeout', ...SHARED].join(', ');
			throw new InvalidRedisOptionError(`there is no option ${unknown}; options are ${known}`);
		}
		if (!KEY_PREFIX.test(keyPrefix)) {
			throw new InvalidRedisOptionError(
				`keyPrefix must be 1 to 128 characters from A-Z a-z 0-9 _ : . -, not ${show(keyPrefix)}`,
			);
		}
		if (!(typeof connectTimeout === 'number' && connectTimeout > 0 && connectTimeout <= MAX_TIMER_MS)) {
			throw new InvalidRedisOptionError(
				`connectTimeout must be a number of milliseconds above 0, not ${show(connectTimeout)}`,
			);
		}
		super({ ...shared, startTimeoutMs: connectTimeout, bus: createBus(connection, keyPrefix, connectTimeout) });
	}
}

/** The longest delay that a timer accepts, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Same as `new RedisWsProvider(options)`. @throws {InvalidRedisOptionError} */
export function createRedisWsProvider(options: RedisWsProviderOptions): RedisWsProvider {
	return new RedisWsProvider(options);
}
