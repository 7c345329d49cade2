/** Sent to clients for failures whose details must stay on the server. */
export const INTERNAL_ERROR = 'Internal server error';

/** Sent to clients when a message has taken longer than `limits.handlerTimeoutMs`. */
export const TIMED_OUT = 'The server did not finish in time';

/** Returns the text of a `too_many_topics` refusal. @param limit `limits.topicsPerSocket` */
export function tooManyTopics(limit: number): string {
	return `Limit of ${limit} ${limit === 1 ? 'topic' : 'topics'} per connection reached`;
}
