import type { RequestFault } from './client-message.ts';
import type { Position } from './position.ts';

/** The system's own message types. No application message can have one of these names. */
export const BuiltIn = {
	/** The first frame of a client with credentials: `data` is its token, or anything else that the guards expect. */
	auth: '@auth',
	/** Subscribes to topics: `data` is a {@link TopicsRequest}. Answered once messages from every node will arrive. */
	subscribe: '@subscribe',
	/** Unsubscribes from topics: `data` is a {@link TopicsRequest}. */
	unsubscribe: '@unsubscribe',
	/** Checks that the connection is alive. Answered immediately, even while other requests are pending. */
	ping: '@ping',
	/** A client's answer to a request from the server. */
	reply: '@reply',
	/** From the server: messages may be missing. `data` is a {@link GapNotice}. */
	gap: '@gap',
	/** From the server: the position that the next messages of a topic follow. `data` is a {@link PositionNotice}. */
	position: '@position',
	/** The name of plain text published to a topic with history: `data` is the text. */
	text: '@text',
	/** The message name of raw bytes that are read back from a topic's history: `data` holds the bytes. */
	bytes: '@bytes',
} as const;

/** Sends a client the position from which it receives the messages of topics with history. */
export interface PositionNotice extends Position {
	/** Several only if the client has just subscribed to topics that have no message yet: they share one position. */
	readonly topics: readonly string[];
	/**
	 * Present if the client requested the messages it missed. If true, all of them were sent right before this notice.
	 * If false, none of them were sent, and the client continues from this position.
	 */
	readonly recovered?: boolean;
	/**
	 * How many messages the client was sent right before this notice, at its own request. Absent if the notice is for
	 * all clients that are subscribed to the topic: those that have no position ignore it.
	 */
	readonly count?: number;
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
	readonly lagMs?: number;
	/** The most that the clock of another server is behind this server's, in milliseconds. Default 0. */
	readonly behindMs?: number;
	/** The most that the clock of another server is ahead of this server's, in milliseconds. Default 0. */
	readonly aheadMs?: number;
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
	/** Send at most this many of the latest messages. Ignored if `since` is given. */
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

/** The answer to `@ping`. */
export type PingAnswer = AnsweredAt;

export function encodeGapNotice({ topic, since, until }: GapNotice): string {
	return JSON.stringify({ type: BuiltIn.gap, data: { topic, since, until } });
}

export function encodePositionNotice({ topics, epoch, offset, recovered, count }: PositionNotice): string {
	return JSON.stringify({ type: BuiltIn.position, data: { topics, epoch, offset, recovered, count } });
}
