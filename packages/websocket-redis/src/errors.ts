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

/** An option of the provider that can't work. */
export class InvalidRedisOptionError extends TypeError {
	override readonly name = 'InvalidRedisOptionError';
}
