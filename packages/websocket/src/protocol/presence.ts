import * as BuiltIn from './built-in-type.ts';
import type { RequestFault } from './client-message.ts';

/** Someone who is in a topic: a user with all connections, or a connection without a user. */
export interface PresenceMember<TInfo extends object = Readonly<Record<string, unknown>>> {
	/** `user:` and the user's id, or `socket:` and the socket's id. */
	readonly key: string;
	/** Undefined for a connection without a user. */
	readonly userId?: string | undefined;
	/** What the server and the member's clients say of the member; undefined if nothing. */
	readonly info?: TInfo | undefined;
	/** How many connections the member has in the topic. */
	readonly connections: number;
	/** Since when the member has been in the topic, in milliseconds since the epoch, by the backend's clock. */
	readonly since: number;
}

/** The version of a topic's members. */
export interface PresenceVersion {
	/** Another epoch means that the versions of before say nothing any longer. */
	readonly epoch: string;
	/** Grows with each change. */
	readonly n: number;
}

/** The `data` of `@watch`: asks for a topic's members, and for what changes from then on. */
export interface WatchRequest {
	readonly topic: string;
	/** With the key of a member: only asks for a further page, of members after that one. */
	readonly after?: string | undefined;
	/** Only asks how many members there are. Holds until the topic is watched again. */
	readonly isCountOnly?: true | undefined;
}

/** The answer to `@watch`. */
export interface WatchAnswer {
	readonly topic: string;
	readonly version: PresenceVersion;
	readonly count: number;
	/** Sorted by the bytes of their keys in UTF-8. Absent if only the count is known, as of topics with many members. */
	readonly members?: readonly PresenceMember[] | undefined;
	/** Whether there are more members after these. */
	readonly hasMore?: true | undefined;
	/** Present while the server is cut off from the other servers: their members are as they were. */
	readonly isStale?: true | undefined;
}

/** The `data` of `@unwatch`. */
export interface UnwatchRequest {
	readonly topic: string;
}

/** The `data` of `@update`: what a client adds to its own info in a topic, instead of what it added before. */
export interface UpdateRequest {
	readonly topic: string;
	readonly info: Readonly<Record<string, unknown>>;
}

/** The `data` of `@presence`: the members of a watched topic have changed. */
export interface PresenceNotice {
	readonly topic: string;
	readonly version: PresenceVersion;
	/**
	 * The version that the change follows. It also applies to any version between this one and `version`: what it says
	 * is how each of these members is now.
	 */
	readonly previous: PresenceVersion;
	readonly count: number;
	readonly joined?: readonly PresenceMember[] | undefined;
	/** The keys of members that have left. */
	readonly left?: readonly string[] | undefined;
	readonly updated?: readonly PresenceMember[] | undefined;
	/** Present if only the count is known from here on. */
	readonly isCountOnly?: true | undefined;
	/** Present while the server is cut off from the other servers. */
	readonly isStale?: true | undefined;
}

/**
 * Tells a client that it may no longer see who is in a topic. Nothing more of that follows. Clients that watch a topic
 * only because they are in it are not told so when they leave it.
 */
export interface UnwatchedNotice extends RequestFault {
	readonly topic: string;
}

export function encodeUnwatchedNotice(notice: UnwatchedNotice): string {
	return JSON.stringify({ type: BuiltIn.unwatched, data: notice });
}

/** The lists of a {@link PresenceNotice}: each member, or key, as JSON. */
export type EncodedChanges = Readonly<Record<'joined' | 'left' | 'updated', readonly string[]>>;

export function encodePresenceNotice(
	notice: Omit<PresenceNotice, keyof EncodedChanges>,
	{ joined, left, updated }: EncodedChanges,
): string {
	const frame = JSON.stringify({ type: BuiltIn.presence, data: notice });
	const lists = encodeList('joined', joined) + encodeList('left', left) + encodeList('updated', updated);
	// The frame ends with the braces of its data, which is not empty, and its own.
	return lists === '' ? frame : `${frame.slice(0, -2)}${lists}}}`;
}

function encodeList(name: keyof EncodedChanges, list: readonly string[]): string {
	return list.length === 0 ? '' : `,"${name}":[${list.join()}]`;
}
