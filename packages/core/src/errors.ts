/** Thrown when the application is configured or used incorrectly. */
export class ApplicationError extends Error {
	override readonly name = 'ApplicationError';
}

/**
 * Thrown if the server would subscribe a connection to more topics than `limits.topicsPerSocket` allows. If a handler
 * of a typed message does not catch it, the client receives `too_many_topics`.
 */
export class TooManyTopicsError extends Error {
	override readonly name = 'TooManyTopicsError';
	/** The topic that the connection was not subscribed to. */
	readonly topic: string;
	/** The limit: `limits.topicsPerSocket`. */
	readonly limit: number;

	constructor(topic: string, limit: number) {
		super(
			`Not subscribed to ${topic}: the connection is in ${limit} ${limit === 1 ? 'topic' : 'topics'} already, the limit; ` +
				'unsubscribe it from others, or raise limits.topicsPerSocket',
		);
		this.topic = topic;
		this.limit = limit;
	}
}

/** Thrown if `presence.schema` is asynchronous: a connection's info must be known when it enters a topic. */
export class AsyncPresenceSchemaError extends Error {
	override readonly name = 'AsyncPresenceSchemaError';

	constructor() {
		super('presence.schema must be synchronous: it has returned a promise');
	}
}
