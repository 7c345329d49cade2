import type { Position, TopicRequest } from '@orijs/websocket/protocol';
import { LONG_AGO, type ServerTime } from '../connection/server-time.ts';
import type { Listeners } from '../support/listeners.ts';
import { deferred, type Deferred } from '../support/promises.ts';
import type { SubscriptionHandlers } from './subscription.ts';

/** A topic that the application is subscribed to, by one subscription or several. */
export interface Topic {
	readonly name: string;
	/** One listener for each subscription, which is passed a function that calls one of the handlers. */
	readonly subscriptions: Listeners<[(handlers: SubscriptionHandlers) => unknown]>;
	/** How many of the last messages come first. */
	readonly rewind: number | undefined;
	/** The last message that was delivered, if the topic has history. */
	position: Position | undefined;
	/** The time since which messages may be missing. */
	missingSince: ServerTime | undefined;
	/** Whether the server has ever confirmed the subscription. */
	isConfirmed: boolean;
	/** Settled by the server's first answer. */
	readonly confirmed: Deferred<void>;
}

/** @param position from which to resume; how long ago an earlier client saved it is unknown */
export function createTopic(
	name: string,
	subscriptions: Topic['subscriptions'],
	rewind: number | undefined,
	position: Position | undefined,
): Topic {
	const missingSince = position === undefined ? undefined : LONG_AGO;
	return { name, subscriptions, rewind, position, missingSince, isConfirmed: false, confirmed: deferred() };
}

export function confirm(topic: Topic): void {
	topic.isConfirmed = true;
	topic.confirmed.resolve();
}

/** Returns what `@subscribe` says of the topic. */
export function requestFor({ name: topic, position, rewind }: Topic): TopicRequest {
	return { topic, since: position, rewind: position === undefined ? rewind : undefined };
}
