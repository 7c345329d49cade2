import type { Position, TopicRequest } from '@orijs/websocket/protocol';
import { LONG_AGO, type ServerTime } from '../connection/server-time.ts';
import type { Listeners } from '../support/listeners.ts';
import { deferred, type Deferred } from '../support/promises.ts';
import type { SubscriptionHandlers } from './subscription.ts';

/** A topic that the application is subscribed to, through one or more subscriptions. */
export interface Topic {
	readonly name: string;
	/** One listener per subscription. It receives a function, which it calls with the subscription's handlers. */
	readonly subscriptions: Listeners<[(handlers: SubscriptionHandlers) => unknown]>;
	/** How many of the latest messages are delivered first. */
	readonly rewind: number | undefined;
	/** The position of the last message that was delivered, if the topic has history. */
	position: Position | undefined;
	/** The time since which messages may be missing. */
	missingSince: ServerTime | undefined;
	/** Whether the server has ever confirmed the subscription. */
	isConfirmed: boolean;
	/** Settled by the server's first answer to the subscription. */
	readonly confirmed: Deferred<void>;
}

/** @param position the position from which to resume, saved by an earlier client an unknown time ago */
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

/** Returns the topic's entry in a `@subscribe` request. */
export function requestFor({ name: topic, position: since, rewind }: Topic): TopicRequest | string {
	if (since !== undefined) return { topic, since };
	return rewind === undefined ? topic : { topic, rewind };
}
