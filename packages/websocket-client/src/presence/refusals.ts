import type { RequestFault } from '@orijs/websocket/protocol';

/** The code with which the server refuses what is only for clients that are in the topic. */
export const NOT_SUBSCRIBED = 'not_subscribed';

/** Returns whether the server may accept the same request later. */
export function isTransient({ code }: Pick<RequestFault, 'code'>): boolean {
	return /^(unavailable|timeout|internal|rate_limited|too_many_requests|stopping|disconnected)$/.test(code);
}
