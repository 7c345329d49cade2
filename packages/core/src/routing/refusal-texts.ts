import type { RequestFault } from '@orijs/websocket/protocol';

/** Sent to clients for failures whose details must stay on the server. */
export const INTERNAL_ERROR = 'Internal server error';

/** Sent to clients when a message has taken longer than `limits.handlerTimeoutMs`. */
export const TIMED_OUT = 'The server did not finish in time';

/** Returns the text of a `too_many_topics` refusal. @param limit `limits.topicsPerSocket` */
export function tooManyTopics(limit: number): string {
	return `Limit of ${limit} ${limit === 1 ? 'topic' : 'topics'} per connection reached`;
}

export const READS_TOO_SLOWLY: RequestFault = { code: 'timeout', message: `${TIMED_OUT}: the client reads too slowly` };

/** The outcome of requests whose client has left before they were answered. It is not sent. */
export const LEFT: RequestFault = { code: 'disconnected', message: 'the client has left' };
