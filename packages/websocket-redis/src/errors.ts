/** Redis could not be reached, or refused the connection, while the provider started. */
export class RedisConnectError extends Error {
	override readonly name = 'RedisConnectError';
	/** Where it tried, as `host:port` or what else the connection names; never with a password. */
	readonly endpoint: string;
	constructor(endpoint: string, how: string, options: ErrorOptions) {
		const cause = options.cause instanceof Error ? options.cause.message || options.cause.name : 'no answer';
		super(`Redis at ${endpoint} ${how}: ${cause}`, options);
		this.endpoint = endpoint;
	}
}

/** The connection to Redis went away before it answered. */
export class RedisConnectionLostError extends Error {
	override readonly name = 'RedisConnectionLostError';
	constructor(endpoint: string, options?: ErrorOptions) {
		const cause = options?.cause instanceof Error ? `: ${options.cause.message}` : '';
		super(`the connection to Redis at ${endpoint} is down${cause}`, options);
	}
}

/** The server is a replica: what is published to it reaches nobody but its own subscribers. */
export class RedisReplicaError extends Error {
	override readonly name = 'RedisReplicaError';
	constructor(endpoint: string) {
		super(`Redis at ${endpoint} is a replica; publishing needs the master`);
	}
}

/** No master of the cluster serves a channel's slot at the moment. */
export class ClusterDownError extends Error {
	override readonly name = 'ClusterDownError';
	constructor() {
		super('no master of the Redis Cluster serves the slot of this topic at the moment');
	}
}

/** The cluster can't publish and subscribe by shard. */
export class ClusterUnsupportedError extends Error {
	override readonly name = 'ClusterUnsupportedError';
	constructor() {
		super('the Redis Cluster has no sharded publish/subscribe: it needs Redis 7.0 or newer');
	}
}

/** The server can't keep the history of topics. */
export class HistoryUnsupportedError extends Error {
	override readonly name = 'HistoryUnsupportedError';
	constructor(endpoint: string, options: { cause: Error }) {
		super(
			`Redis at ${endpoint} can't keep the history of topics: that needs Redis 7.0 or newer with scripts, streams, hashes, strings and ` +
				`publish, on the topics' channels and on keys that begin with {keyPrefix: and the braces; it said: ${options.cause.message}`,
			options,
		);
	}
}

/** The server answered with something that is no history; another release may have written it. */
export class HistoryUnreadableError extends Error {
	override readonly name = 'HistoryUnreadableError';
	constructor(topic: string) {
		super(`what Redis has as the history of ${topic} can't be read`);
	}
}

/** An option of the provider that can't work. */
export class InvalidRedisOptionError extends TypeError {
	override readonly name = 'InvalidRedisOptionError';
}
