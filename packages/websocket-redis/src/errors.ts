/** Thrown if a connection failed while the provider started: Redis could not be reached, or refused the connection. */
export class RedisConnectError extends Error {
	override readonly name = 'RedisConnectError';
	/** The address of Redis: `host:port`, a socket path or a Sentinel group; never with a password. */
	readonly endpoint: string;
	constructor(endpoint: string, problem: string, options: ErrorOptions) {
		const cause = options.cause instanceof Error ? options.cause.message || options.cause.name : 'no reply';
		super(`Redis at ${endpoint} ${problem}: ${cause}`, options);
		this.endpoint = endpoint;
	}
}

/**
 * Thrown if the function that returns the options of connections has failed. While the provider runs, the function is
 * called again for the next attempt to connect.
 */
export class ConnectionFunctionError extends Error {
	override readonly name = 'ConnectionFunctionError';
	constructor(cause: unknown) {
		const problem = cause instanceof Error ? cause.message || cause.name : String(cause);
		super(`the connection function failed: ${problem}`, { cause });
	}
}

/** Thrown if the connection to Redis is down, or went down before a reply arrived. */
export class RedisConnectionLostError extends Error {
	override readonly name = 'RedisConnectionLostError';
	/** @param endpoint the address of Redis; undefined if the bus is stopped */
	constructor(endpoint: string | undefined, options?: ErrorOptions) {
		const cause = options?.cause instanceof Error ? `: ${options.cause.message}` : '';
		super(
			endpoint === undefined
				? `not connected to Redis: the bus is stopped${cause}`
				: `the connection to Redis at ${endpoint} is down${cause}`,
			options,
		);
	}
}

/** Returns the error of calls to a bus that is stopped. */
export function busStopped(): RedisConnectionLostError {
	return new RedisConnectionLostError(undefined);
}

/** Thrown if the server is a replica. Messages published to a replica reach only its own subscribers. */
export class RedisReplicaError extends Error {
	override readonly name = 'RedisReplicaError';
	constructor(endpoint: string) {
		super(`Redis at ${endpoint} is a replica; connect to the primary, or to the Sentinels that know it`);
	}
}

/** Thrown if the server is a node of a Redis Cluster, but was given as a single server. */
export class RedisClusterNodeError extends Error {
	override readonly name = 'RedisClusterNodeError';
	constructor(endpoint: string) {
		super(`Redis at ${endpoint} is a node of a Redis Cluster; connect with { cluster: [{ host, port }] }`);
	}
}

/** Thrown if the server was given as a node of a Redis Cluster, but is a single server. */
export class NoRedisClusterError extends Error {
	override readonly name = 'NoRedisClusterError';
	constructor(endpoint: string, options: { cause: Error }) {
		super(`Redis at ${endpoint} is not a Redis Cluster; connect with { host, port } instead of { cluster }`, options);
	}
}

/** Thrown if no primary of the cluster serves a channel's slot at the moment. */
export class ClusterDownError extends Error {
	override readonly name = 'ClusterDownError';
	constructor() {
		super('no primary of the Redis Cluster serves the slot of this topic at the moment');
	}
}

/** Thrown if a cluster has no sharded publish/subscribe, because its Redis is older than 7.0. */
export class ClusterUnsupportedError extends Error {
	override readonly name = 'ClusterUnsupportedError';
	constructor() {
		super('the Redis Cluster has no sharded publish/subscribe: Redis 7.0 or newer is required');
	}
}

/** Thrown if a server can't store the history of topics, because of its release or its user's permissions. */
export class HistoryUnsupportedError extends Error {
	override readonly name = 'HistoryUnsupportedError';
	constructor(endpoint: string, options: { cause: Error }) {
		super(
			`Redis at ${endpoint} can't store the history of topics: it must be 7.0 or newer, and its user needs permission to ` +
				`run scripts, to publish on the topics' channels, and to use stream, hash, sorted set and string commands on keys that ` +
				`begin with "{keyPrefix:" (brace included); ` +
				`Redis replied: ${options.cause.message}`,
			options,
		);
	}
}

/** Thrown if a server can't keep who is present, because of its release or its user's permissions. */
export class PresenceUnsupportedError extends Error {
	override readonly name = 'PresenceUnsupportedError';
	constructor(endpoint: string, reason: string, options?: ErrorOptions) {
		super(`Redis at ${endpoint} can't keep who is present, for which it must be 7.0 or newer: ${reason}`, options);
	}
}

/**
 * Reported if a server refuses to collect heartbeats. They are then published one by one, as on any server without
 * scripts, and each node receives those of all others.
 */
export class BeatsRefusedError extends Error {
	override readonly name = 'BeatsRefusedError';
	constructor(endpoint: string, options: { cause: Error }) {
		super(
			`Redis at ${endpoint} does not collect heartbeats, which it needs to do for many nodes: it must be 7.0 or newer, ` +
				`take writes, and its user needs permission to run scripts, to publish on channels that begin with ` +
				`"keyPrefix:!{", and to use hash and sorted set commands on keys that begin with "{keyPrefix:" (brace included); ` +
				`Redis replied: ${options.cause.message}`,
			options,
		);
	}
}

/** Thrown if a stored history can't be read. It may have been written by a different version of this package. */
export class HistoryUnreadableError extends Error {
	override readonly name = 'HistoryUnreadableError';
	constructor(topic: string) {
		super(
			`the history of ${topic} on Redis can't be read; it may have been written by a different version of @orijs/websocket-redis`,
		);
	}
}

/** Thrown if an option of the provider is invalid. */
export class InvalidRedisOptionError extends TypeError {
	override readonly name = 'InvalidRedisOptionError';
}
