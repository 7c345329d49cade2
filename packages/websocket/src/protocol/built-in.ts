import type { RequestFault } from './client-message.ts';
import type { Position } from './position.ts';

/** Message types that are the system's own: no message can be named so. */
export const BuiltIn = {
	/** The first frame of a client that has something to show: `data` is its token, or whatever the server's guards want to see. */
	auth: '@auth',
	/** Joins topics: `data` is a {@link TopicsRequest}. Answered once messages from every node will arrive. */
	subscribe: '@subscribe',
	/** Leaves topics: `data` is a {@link TopicsRequest}. */
	unsubscribe: '@unsubscribe',
	/** Asks whether the connection is alive. Answered at once, whatever else the server is doing for it. */
	ping: '@ping',
	/** A client's answer to a request of the server. */
	reply: '@reply',
	/** From the server: messages may be missing, `data` is a {@link GapNotice}. */
	gap: '@gap',
	/** From the server: what follows of a topic with history comes after this position, `data` is a {@link PositionNotice}. */
	position: '@position',
	/** The name of text that was published to a topic with history without a schema: `data` is the text. */
	text: '@text',
	/** The name that bytes of a topic with history have where they are told of as a message. */
	bytes: '@bytes',
} as const;

/** Tells a client from where on it gets the messages of a topic with history. */
export interface PositionNotice extends Position {
	readonly topic: string;
	/**
	 * There if the client has asked for what it missed: whether it got all of it, right before this; if not, it got none of it, and goes on
	 * from here.
	 */
	readonly recovered?: boolean;
	/** How many messages it was sent right before this. */
	readonly count?: number;
}

/** Tells a client where messages may be missing. */
export interface GapNotice {
	/** A topic it is in, or `*`: what was sent to the client itself or to all. */
	readonly topic: string;
	/** Milliseconds since the epoch by the server's clock. Nothing from before is missing. */
	readonly since: number;
	/** Milliseconds since the epoch by the server's clock. Nothing from after is missing. */
	readonly until: number;
}

/** What `@auth` is answered with, once the guards have passed. */
export interface AuthAnswer {
	readonly socketId: string;
	/** When, in milliseconds since the epoch by the server's clock. */
	readonly timestamp: number;
	/** How fast the client may send, see `limits.messagesPerSecond`; not there if there is no bound. */
	readonly messagesPerSecond?: number;
}

/** What `@subscribe` and `@unsubscribe` ask for. */
export type TopicsRequest = { readonly topic: string } | { readonly topics: readonly (string | TopicRequest)[] };

/** A topic to join, and with which of the messages before that; as plain text, it is none of them. */
export interface TopicRequest {
	readonly topic: string;
	/** Those after that position. */
	readonly since?: Position | undefined;
	/** The last ones, so many at most; where there is no `since`. */
	readonly rewind?: number | undefined;
}

/** How many topics `@subscribe` and `@unsubscribe` take at once. */
export const MOST_TOPICS = 100;

/** What they are answered with, once it is so. */
export interface TopicsAnswer {
	/**
	 * When, in milliseconds since the epoch by the server's clock: everything that is published to the topics from then on arrives, or
	 * nothing any more.
	 */
	readonly timestamp: number;
	/** To `{ topics }`: those for which it did not work. A single `{ topic }` is refused as a whole. */
	readonly refused?: readonly RefusedTopic[];
}

export interface RefusedTopic extends RequestFault {
	readonly topic: string;
}

/** What `@ping` is answered with. */
export interface PingAnswer {
	/**
	 * When, in milliseconds since the epoch by the server's clock: all that its node had for the client by then has arrived before this answer.
	 */
	readonly timestamp: number;
}

export function encodeGapNotice({ topic, since, until }: GapNotice): string {
	return JSON.stringify({ type: BuiltIn.gap, data: { topic, since, until } });
}

export function encodePositionNotice({ topic, epoch, offset, recovered, count }: PositionNotice): string {
	return JSON.stringify({ type: BuiltIn.position, data: { topic, epoch, offset, recovered, count } });
}
