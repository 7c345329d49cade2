import type { RequestFault } from '@orijs/websocket/protocol';

/** The code with which the server refuses what is only for clients that are in the topic. */
export const NOT_SUBSCRIBED = 'not_subscribed';

/** The code with which the server refuses a further page, because the client has to begin again. */
export const NOT_WATCHED = 'not_watched';

/** Returns whether the server may accept the same request later. */
export function isTransient({ code }: Pick<RequestFault, 'code'>): boolean {
	return /^(unavailable|timeout|internal|rate_limited|too_many_requests|stopping|disconnected)$/.test(code);
}
