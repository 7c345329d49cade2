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
		super(`the connection to Redis at ${endpoint} is down`, options);
	}
}

/** The server is a replica: what is published to it reaches nobody but its own subscribers. */
export class RedisReplicaError extends Error {
	override readonly name = 'RedisReplicaError';
	constructor(endpoint: string) {
		super(`Redis at ${endpoint} is a replica; publishing needs the master`);
	}
}

/** An option of the provider that can't work. */
export class InvalidRedisOptionError extends TypeError {
	override readonly name = 'InvalidRedisOptionError';
}
