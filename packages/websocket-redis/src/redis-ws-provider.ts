import { type HistoryRules, type Logger, WsProvider } from '@orijs/websocket';
import { show } from '@orijs/websocket/internal';
import { InvalidRedisOptionError } from './errors.ts';
import { createBus, type RedisConnection } from './create-bus.ts';

export interface RedisWsProviderOptions {
	/**
	 * Where Redis is: ioredis options (`{ host, port }`, `{ sentinels, name }`, …), a `redis://` or `rediss://` URL,
	 * `{ cluster: [{ host, port }, …], options }`, or an ioredis instance, whose options are copied and which is never
	 * closed.
	 */
	readonly connection: RedisConnection;
	/**
	 * The prefix of channels and keys on Redis, before `:`. Applications that share a Redis need different ones. Default
	 * `orijs`.
	 */
	readonly keyPrefix?: string;
	/** How long `start()` tries to reach Redis before it rejects, in milliseconds. Default 5,000. */
	readonly connectTimeout?: number;
	/**
	 * Which topics keep their last messages on Redis, by pattern, as in `{ 'chat:*': { size: 500, ttlMs: 3_600_000 } }`;
	 * `*` matches any characters, and the first matching pattern applies. Must be the same on all nodes. Default: no
	 * topic.
	 */
	readonly history?: HistoryRules;
	/** How often a node sends a heartbeat, in milliseconds; less often with more than 50 nodes. Default 500. */
	readonly heartbeatMs?: number;
	/** How long a topic stays subscribed on Redis after its last socket left it, in milliseconds. Default 1,000. */
	readonly graceMs?: number;
	/** Default: the console, without debug messages. */
	readonly logger?: Logger;
}

const KEY_PREFIX = /^[A-Za-z0-9_:.-]{1,128}$/;

/** The provider for several processes and machines, which exchange messages over Redis publish/subscribe. */
export class RedisWsProvider extends WsProvider {
	/** @throws {InvalidRedisOptionError} */
	constructor(options: RedisWsProviderOptions) {
		const { connection, keyPrefix = 'orijs', connectTimeout = 5_000, ...shared } = options ?? {};
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

/** The longest delay a timer can have, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** @throws {InvalidRedisOptionError} */
export function createRedisWsProvider(options: RedisWsProviderOptions): RedisWsProvider {
	return new RedisWsProvider(options);
}
