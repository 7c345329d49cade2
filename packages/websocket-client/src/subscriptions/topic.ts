import type { Position, TopicRequest } from '@orijs/websocket/protocol';
import type { ServerTime } from '../connection/server-time.ts';
import type { SubscriptionHandle } from './subscription-handle.ts';

/**
 * A topic that the application is subscribed to, through one or more subscriptions. It begins with the first of them
 * and ends with the last; a later subscription begins a new one.
 */
export interface Topic {
	readonly name: string;
	/** Replaced when it changes, so that it can be iterated while handlers subscribe and close. */
	handles: readonly SubscriptionHandle[];
	/** Whether the messages that arrive are those that the subscriptions have asked for by `rewind`. */
	isRewinding?: boolean | undefined;
	/** The position with which the topic began, saved by an earlier client. */
	readonly saved?: Position | undefined;
	/** The position of the last message that was delivered, if the topic has history. */
	position?: Position | undefined;
	/** The time since which messages may be missing. */
	missingSince?: ServerTime | undefined;
	/** The time since which messages are lost, until the gap has been reported. */
	lostSince?: ServerTime | undefined;
	/**
	 * Whether the topic was requested on the current connection. If not, the server may still answer, or send messages
	 * for, an earlier topic of the same name.
	 */
	isRequested?: boolean;
	/** Whether the server has sent the topic's position since the topic was last requested. */
	isPositioned?: boolean;
	/** Whether the server has ever confirmed the subscription. */
	isConfirmed?: boolean;
}

/** Returns the topic's entry in a `@subscribe` request. */
export function requestFor({ name, position, handles }: Topic): TopicRequest | string {
	const rewind = Math.max(...handles.map((handle) => handle.options.rewind ?? 0)) || undefined;
	return position || rewind ? { topic: name, since: position, rewind } : name;
}
