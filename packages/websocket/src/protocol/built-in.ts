import * as BuiltIn from './built-in-type.ts';
import type { RequestFault } from './client-message.ts';
import type { Position } from './position.ts';
import type { PositionedEnvelope } from './positioned-envelope.ts';

export { BuiltIn };

/** Sends a client the position from which it receives the messages of topics with history. */
export interface PositionNotice extends Position {
	/** Several only if the client has just subscribed to topics that have no message yet: they share one position. */
	readonly topics: readonly string[];
	/**
	 * Present if the client requested the messages it missed. If true, all of them were sent right before this notice.
	 * If false, none of them were sent, and the client continues from this position, with the latest messages if it has
	 * requested them by `rewind` as well.
	 */
	readonly recovered?: boolean | undefined;
	/**
	 * How many messages the client was sent right before this notice, at its own request. Absent if the notice is for
	 * all clients that are subscribed to the topic: those that have no position ignore it.
	 */
	readonly count?: number;
	/** Whether the next messages are those that `rewind` requested. Another notice follows them. */
	readonly rewinding?: boolean;
}

/** Tells a client in which topic and time span messages may be missing. */
export interface GapNotice {
	/** A topic that the client is subscribed to, or `*` for messages sent to the client itself or to all clients. */
	readonly topic: string;
	/** Nothing published before this time is missing. Milliseconds since the epoch, by the server's clock. */
	readonly since: number;
	/** Nothing published after this time is missing. Milliseconds since the epoch, by the server's clock. */
	readonly until: number;
}

/** The time of an answer, from which a client computes what it may have missed when it loses its connection. */
export interface AnsweredAt {
	/** By the server's clock, in milliseconds since the epoch. */
	readonly timestamp: number;
	/**
	 * How far the server lags behind the other servers, in milliseconds. Everything that was published longer ago than
	 * this arrives before the answer, or is reported as missing. Default 0.
	 */
	readonly lagMs?: number | undefined;
	/** The most that the clock of another server is behind this server's, in milliseconds. Default 0. */
	readonly behindMs?: number | undefined;
	/** The most that the clock of another server is ahead of this server's, in milliseconds. Default 0. */
	readonly aheadMs?: number | undefined;
}

/** Tells a client to which topics the server has subscribed it. From now on, their messages arrive. */
export interface SubscribedNotice extends AnsweredAt {
	/** At most {@link MAX_TOPICS}. */
	readonly topics: readonly SubscribedTopic[];
}

export interface SubscribedTopic {
	readonly topic: string;
	/** The position that the next message follows; only for topics with history. */
	readonly position?: Position | undefined;
	/**
	 * Present if the backend confirmed the subscription late: messages published between this time and the notice may be
	 * missing. Milliseconds since the epoch, by the server's clock.
	 */
	readonly since?: number | undefined;
}

/** Tells a client from which topics it was unsubscribed. No message of theirs follows. */
export interface UnsubscribedNotice {
	/** At most {@link MAX_TOPICS}. */
	readonly topics: readonly UnsubscribedTopic[];
}

export interface UnsubscribedTopic extends RequestFault {
	readonly topic: string;
}

/** Tells a client why it is disconnected, right before that. */
export interface DisconnectedNotice extends RequestFault {
	/** Whether the client is to connect again. */
	readonly reconnect: boolean;
}

/** The answer to `@auth`, once the guards have admitted the client. */
export interface AuthAnswer extends AnsweredAt {
	readonly socketId: string;
	/**
	 * The number of messages per second that the client may send, from `limits.messagesPerSecond`; absent if there is no
	 * limit.
	 */
	readonly messagesPerSecond?: number;
	/** The number of bytes per second, from `limits.bytesPerSecond`; absent if there is no limit. */
	readonly bytesPerSecond?: number;
	/** The largest message that the client may send, in bytes of UTF-8, from `limits.messageBytes`. */
	readonly messageBytes?: number;
	/** For how long the credentials are valid, in milliseconds; absent if they don't expire. Renew them before that. */
	readonly expiresInMs?: number;
}

/** The `data` of `@subscribe` and `@unsubscribe`. */
export type TopicsRequest = { readonly topic: string } | { readonly topics: readonly (string | TopicRequest)[] };

/**
 * A topic to subscribe to, and which of its earlier messages to send first. A plain string requests no earlier ones.
 */
export interface TopicRequest {
	readonly topic: string;
	/** Send the messages after this position. */
	readonly since?: Position | undefined;
	/**
	 * Send at most this many of the latest messages. With `since`, only if not all messages after it can be sent.
	 */
	readonly rewind?: number | undefined;
}

/** The maximum number of topics in one `@subscribe` or `@unsubscribe`. */
export const MAX_TOPICS = 100;

/**
 * The answer to `@subscribe` and `@unsubscribe`, once the change is in effect. Messages published to the topics from
 * then on will arrive or, after `@unsubscribe`, will not.
 */
export interface TopicsAnswer extends AnsweredAt {
	/** The refused topics of a request with `topics`; absent for one with a `topic`, which is refused as a whole. */
	readonly refused?: readonly RefusedTopic[];
}

export interface RefusedTopic extends RequestFault {
	readonly topic: string;
}

/**
 * The `data` of `@history`. Selects the messages after a position (`since`), before one (`before`), up to and including
 * the one at a position (`upTo`), or the latest. At most one of the three is given.
 */
export interface HistoryRequest {
	readonly topic: string;
	readonly since?: Position | undefined;
	readonly before?: Position | undefined;
	readonly upTo?: Position | undefined;
	/** The maximum number of messages, 1 to {@link MAX_PAGE}. Default {@link DEFAULT_PAGE}. */
	readonly limit?: number | undefined;
}

/** The maximum number of messages in one page of a history. */
export const MAX_PAGE = 1_000;
/** The maximum number of messages in a page whose request has no `limit`. */
export const DEFAULT_PAGE = 100;

/** The answer to `@history`. */
export interface HistoryAnswer extends AnsweredAt, Position {
	/** The messages, oldest first. */
	readonly messages: readonly PositionedEnvelope[];
	/** Whether more messages are kept in the direction of reading. */
	readonly hasMore: boolean;
	/** Whether the messages at the requested position are known. If false, the answer has no messages. */
	readonly recovered: boolean;
}

/** The answer to `@ping`. */
export type PingAnswer = AnsweredAt;

export function encodeGapNotice({ topic, since, until }: GapNotice): string {
	return JSON.stringify({ type: BuiltIn.gap, data: { topic, since, until } });
}

export function encodeSubscribedNotice(at: AnsweredAt, topics: readonly SubscribedTopic[]): string {
	const { timestamp, lagMs, behindMs, aheadMs } = at;
	const notice: SubscribedNotice = { timestamp, lagMs, behindMs, aheadMs, topics };
	return JSON.stringify({ type: BuiltIn.subscribed, data: notice });
}

export function encodeUnsubscribedNotice(notice: UnsubscribedNotice): string {
	return JSON.stringify({ type: BuiltIn.unsubscribed, data: notice });
}

export function encodeDisconnectedNotice({ code, message, reconnect }: DisconnectedNotice): string {
	return JSON.stringify({ type: BuiltIn.disconnected, data: { code, message, reconnect } });
}

export function encodePositionNotice(notice: PositionNotice): string {
	const { topics, epoch, offset, recovered, count, rewinding } = notice;
	return JSON.stringify({ type: BuiltIn.position, data: { topics, epoch, offset, recovered, count, rewinding } });
}
