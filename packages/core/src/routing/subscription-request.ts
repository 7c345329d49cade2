import type { ClientMessage, TopicRequest } from '@orijs/websocket/protocol';

/**
 * A valid `@subscribe` or `@unsubscribe`. It may be pending for as long as the backend is unavailable, so it holds
 * nothing else of the client's message.
 */
export interface SubscriptionRequest {
	readonly type: string;
	readonly correlationId: string | undefined;
	readonly topics: readonly TopicRequest[];
	/** Whether the client sent a list of `topics` rather than a single `topic`. */
	readonly isList: boolean;
}

export function subscriptionRequest(message: ClientMessage, topics: readonly TopicRequest[]): SubscriptionRequest {
	const { type, correlationId, data } = message;
	return { type, correlationId, topics, isList: 'topics' in (data as object) };
}
