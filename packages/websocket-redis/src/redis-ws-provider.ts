import { type HistoryRules, type Logger, type PresenceRules, type Secret, WsProvider } from '@orijs/websocket';
import { type OptionNames, show, unknownOption } from '@orijs/websocket/internal';
import { InvalidRedisOptionError } from './errors.ts';
import { createBus, type RedisConnection } from './create-bus.ts';

export interface RedisWsProviderOptions {
	/**
	 * How to connect to Redis: ioredis options (`{ host, port }`, `{ sentinels, name }`, …), a `redis://` or `rediss://`
	 * URL, `{ cluster: [{ host, port }, …], options, natMap }`, an ioredis instance, or a function that returns options
	 * or a URL, or a promise of them. Only the options of an instance are used, and it is never closed.
	 *
	 * Options, such as a password, are read again for each new connection, and a function is called again. If the
	 * function fails during `start()`, `start()` rejects with `ConnectionFunctionError`; if it fails later, the next
	 * attempt to connect follows within a second. The database must stay the same.
	 */
	readonly connection: RedisConnection;
	/**
	 * The prefix of channels and keys on Redis; a `:` follows it. Applications that share a Redis database must have
	 * different prefixes. 1 to 128 characters from `A-Z a-z 0-9 _ . -`. Default `orijs`.
	 */
	readonly keyPrefix?: string;
	/**
	 * How long `start()` tries to reach Redis before it rejects, in milliseconds, at most 2,147,483,647. Default 5,000.
	 */
	readonly connectTimeout?: number;
	/**
	 * The topics whose latest messages are kept on Redis, by pattern, such as
	 * `{ 'chat:*': { size: 500, ttlMs: 3_600_000 } }`. `*` matches any characters, and the first matching pattern
	 * applies. Must be the same on all nodes. Default: no topics.
	 */
	readonly history?: HistoryRules;
	/**
	 * The topics whose presence is kept on Redis, by pattern, such as `{ 'room:*': { leaveDelayMs: 5_000 } }`. `*`
	 * matches any characters, and the first matching pattern applies. Must be the same on all nodes. Default: no topics.
	 */
	readonly presence?: PresenceRules;
	/**
	 * The time between a node's heartbeats, in milliseconds, from 50 to 1,000. Should be the same on all nodes. If Redis
	 * can't collect heartbeats, because a command is not permitted, the actual time grows above 50 nodes, in proportion
	 * to their number. Default 500.
	 */
	readonly heartbeatMs?: number;
	/**
	 * The number of nodes above which Redis collects heartbeats: it then tells all nodes every 5 seconds what it has
	 * accepted from each, so that the load does not grow with the square of the number of nodes. At least 1. Default 32.
	 */
	readonly collectBeatsAbove?: number;
	/** How long a topic stays subscribed on Redis after its last socket has left, in milliseconds. Default 1,000. */
	readonly graceMs?: number;
	/**
	 * With a secret, nodes sign what acts on other nodes, and skip it if it is not signed: heartbeats, gap notices, and
	 * the messages by which nodes subscribe and disconnect each other's sockets. What is published or sent to sockets is
	 * not signed. Text or bytes, at least 32 characters or bytes, the same on all nodes. In a list, the first secret
	 * signs, and all are accepted. The clocks of the nodes must agree within a minute. Default: nothing is signed.
	 */
	readonly secret?: Secret | readonly Secret[];
	/**
	 * With a `secret`: whether to accept what is not signed nevertheless, for as long as nodes without the secret run.
	 * Default false.
	 */
	readonly acceptUnsigned?: boolean;
	/** Default: the console, without debug lines. */
	readonly logger?: Logger;
}

/**
 * No `:`, because one follows the prefix: topic `x:t` of prefix `app` would otherwise be topic `t` of prefix `app:x`.
 */
const KEY_PREFIX = /^[A-Za-z0-9_.-]{1,128}$/;

const OPTIONS: OptionNames<RedisWsProviderOptions> = {
	connection: true,
	keyPrefix: true,
	connectTimeout: true,
	history: true,
	presence: true,
	heartbeatMs: true,
	collectBeatsAbove: true,
	graceMs: true,
	secret: true,
	acceptUnsigned: true,
	logger: true,
};

/** The provider for several processes and machines. They exchange messages over Redis publish/subscribe. */
export class RedisWsProvider extends WsProvider {
	/** @throws {InvalidRedisOptionError} */
	constructor(options: RedisWsProviderOptions) {
		const problem = unknownOption('RedisWsProvider', options ?? {}, OPTIONS);
		if (problem !== undefined) throw new InvalidRedisOptionError(problem);
		const { connection, keyPrefix = 'orijs', connectTimeout = 5_000, ...shared } = options ?? {};
		if (typeof keyPrefix !== 'string' || !KEY_PREFIX.test(keyPrefix)) {
			throw new InvalidRedisOptionError(
				`keyPrefix must be 1 to 128 characters from A-Z a-z 0-9 _ . - (a colon is added after it), not ${show(keyPrefix)}`,
			);
		}
		if (!(typeof connectTimeout === 'number' && connectTimeout > 0 && connectTimeout <= MAX_TIMER_MS)) {
			throw new InvalidRedisOptionError(
				`connectTimeout must be a number of milliseconds above 0 and at most ${MAX_TIMER_MS}, not ${show(connectTimeout)}`,
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
