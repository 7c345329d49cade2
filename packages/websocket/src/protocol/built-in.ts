import type { RequestFault } from './client-message.ts';
import type { Position } from './position.ts';

/** The system's own message types. No application message can have one of these names. */
export const BuiltIn = {
	/** The first frame of a client with credentials: `data` is its token, or whatever the server's guards expect. */
	auth: '@auth',
	/** Subscribes to topics: `data` is a {@link TopicsRequest}. Answered once messages from every node will arrive. */
	subscribe: '@subscribe',
	/** Unsubscribes from topics: `data` is a {@link TopicsRequest}. */
	unsubscribe: '@unsubscribe',
	/** Checks that the connection is alive. Answered at once, even while other requests are pending. */
	ping: '@ping',
	/** A client's answer to a request of the server. */
	reply: '@reply',
	/** From the server: messages may be missing, `data` is a {@link GapNotice}. */
	gap: '@gap',
	/**
	 * From the server: the next messages of a topic with history follow this position, `data` is a {@link
	 * PositionNotice}.
	 */
	position: '@position',
	/** The name of plain text published to a topic with history: `data` is the text. */
	text: '@text',
	/** The name of bytes published to a topic with history, where they are represented as a message. */
	bytes: '@bytes',
} as const;

/** Tells a client the position from which it receives the messages of a topic with history. */
export interface PositionNotice extends Position {
	readonly topic: string;
	/**
	 * Present if the client asked for the messages it missed. True: all of them were sent right before this notice.
	 * False: none were, and the client continues from this position.
	 */
	readonly recovered?: boolean;
	/** How many messages were sent right before this notice. */
	readonly count?: number;
}

/** Tells a client where messages may be missing. */
export interface GapNotice {
	/** A topic the client is subscribed to, or `*` for what was sent to the client itself or to all. */
	readonly topic: string;
	/** Milliseconds since the epoch by the server's clock. Nothing before it is missing. */
	readonly since: number;
	/** Milliseconds since the epoch by the server's clock. Nothing after it is missing. */
	readonly until: number;
}

/** The time at which a server answered, for what a client may have missed when it loses its connection. */
export interface AnsweredAt {
	/** By the server's clock, in milliseconds since the epoch. */
	readonly timestamp: number;
	/**
	 * How long ago the latest time was up to which the server has sent the client everything that any server published,
	 * in milliseconds: all of that arrives before the answer. Default 0.
	 */
	readonly lagMs?: number;
	/** By how much the clock of another server is behind this one's at most, in milliseconds. Default 0. */
	readonly behindMs?: number;
	/** By how much the clock of another server is ahead of this one's at most, in milliseconds. Default 0. */
	readonly aheadMs?: number;
}

/** The answer to `@auth`, once the guards have passed. */
export interface AuthAnswer extends AnsweredAt {
	readonly socketId: string;
	/** How fast the client may send, see `limits.messagesPerSecond`; absent if there is no limit. */
	readonly messagesPerSecond?: number;
}

/** The `data` of `@subscribe` and `@unsubscribe`. */
export type TopicsRequest = { readonly topic: string } | { readonly topics: readonly (string | TopicRequest)[] };

/**
 * A topic to subscribe to, and which of its earlier messages to send first. A plain string asks for no earlier ones.
 */
export interface TopicRequest {
	readonly topic: string;
	/** Messages after this position. */
	readonly since?: Position | undefined;
	/** At most this many of the latest messages. Ignored if `since` is given. */
	readonly rewind?: number | undefined;
}

/** The most topics that one `@subscribe` or `@unsubscribe` takes. */
export const MOST_TOPICS = 100;

/**
 * The answer to `@subscribe` and `@unsubscribe`, once the change is in effect: messages published to the topics from
 * then on arrive or, after `@unsubscribe`, no longer do.
 */
export interface TopicsAnswer extends AnsweredAt {
	/** For a request with `topics`: those that were refused. A request with a single `topic` is refused as a whole. */
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

export function encodePositionNotice({ topic, epoch, offset, recovered, count }: PositionNotice): string {
	return JSON.stringify({ type: BuiltIn.position, data: { topic, epoch, offset, recovered, count } });
}
