import type { Position, RequestFault, TopicRequest } from '@orijs/websocket/protocol';
import type { Connection } from '../connection/connection.ts';
import type { ServerTime } from '../connection/server-time.ts';
import type { SubscriptionHandle } from './subscription-handle.ts';
import type { SubscribedBy } from './subscription.ts';

/**
 * A topic to which the client is to be subscribed: through one or more subscriptions of the application, or because the
 * server has decided it. It ends with the last subscription unless the server has chosen it, and when the server
 * unsubscribes the client; what follows begins a new one.
 */
export interface Topic {
	readonly name: string;
	/** Replaced when it changes, so that it can be iterated while handlers subscribe and close. */
	handles: readonly SubscriptionHandle[];
	/** The connection on which the server has subscribed the client by its own decision. */
	chosenOn?: Connection | undefined;
	/** By whom the client is subscribed, as the application was told; undefined if it is not. */
	by?: SubscribedBy | undefined;
	/** That the server has unsubscribed the client while a request for the topic was pending, whose answer decides. */
	removal?: RequestFault | undefined;
	/** Whether the server has chosen the topic while a request for it was pending. */
	isChosenSince?: boolean | undefined;
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
	 * Whether the topic was requested on the current connection, or needs no request there because the server has chosen
	 * it. If not, the server may still answer, or send messages for, an earlier topic of the same name.
	 */
	isRequested?: boolean;
	/** Whether the server has sent the topic's position since the topic was last requested. */
	isPositioned?: boolean;
	/** Whether the server has ever confirmed the subscription, or chosen the topic. */
	isConfirmed?: boolean;
}

/** Returns the topic's entry in a `@subscribe` request. */
export function requestFor({ name, position, handles }: Topic): TopicRequest | string {
	const rewind = Math.max(0, ...handles.map((handle) => handle.options.rewind ?? 0)) || undefined;
	return position || rewind ? { topic: name, since: position, rewind } : name;
}
