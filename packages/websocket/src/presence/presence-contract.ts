import type { ActionResult } from '../cluster/cluster-contract.ts';
import type { PresenceMember, PresenceVersion } from '../protocol/presence.ts';
import type { WebSocketConnection } from '../sockets/websocket-connection.ts';

/**
 * What a member says of itself: a plain object of what JSON carries as it is, which are text, finite numbers, booleans,
 * null, arrays and plain objects. It is copied when it is given.
 */
export type PresenceInfo = Readonly<Record<string, unknown>>;

/**
 * Who is present in a topic, on all nodes: the users whose sockets are subscribed to it, and each socket without a
 * user.
 *
 * All methods are for topics whose presence is kept. Members, with their info, and lists of what has changed are
 * frozen: several listeners are given the same ones.
 *
 * @throws {InvalidTopicError} {PresenceNotKeptError} the topic is invalid, or no pattern of the option `presence`
 * matches it
 */
export interface Presence {
	/**
	 * Returns a page of a topic's members, sorted by key. While the backend is unavailable, members are as they were
	 * last known (`isStale`). If a listener was added before the call, it receives everything that changes after the
	 * page, as changes with a greater version; for that, the call can take up to 250 ms.
	 *
	 * @throws {InvalidOptionError} an option is invalid
	 * @throws {ProviderNotStartedError} {ProviderStoppedError}
	 * @throws {PresenceUnavailableError} the backend is unavailable, and nothing is known of the topic here
	 */
	members(topic: string, options?: PresencePageOptions): Promise<PresencePage>;

	/** Returns the number of a topic's members, in constant time. Rejects as `members` does. */
	count(topic: string): Promise<number>;

	/**
	 * Calls `listener` when a topic's members have changed: at once, and then at most every 250 ms with the net effect.
	 * While there are listeners, this node follows the topic. When members become known that were not, because they were
	 * too many, all of them have joined. If the listener throws or rejects, the error is logged. Returns a function
	 * that removes it.
	 *
	 * @throws {InvalidOptionError} the listener is not a function, or the topic's rule has `events: 'none'`
	 */
	onChange(topic: string, listener: (change: PresenceChange) => unknown): () => void;

	/**
	 * Sets properties of a member's info in a topic, on all nodes that have sockets of it; properties that are set to
	 * undefined are removed. They count until the member's sockets on that node have left. `sockets` of the result says
	 * how many there were. On a node where the info would be too large together with the rest, nothing changes, which is
	 * logged there.
	 *
	 * @throws {InvalidPresenceInfoError} the info is no plain object, has what JSON does not carry, or is too large
	 */
	update(topic: string, key: string, change: PresenceInfo): Promise<ActionResult>;
}

export interface PresencePageOptions {
	/** The most members, from 1 to 1,000. Default 100. */
	readonly limit?: number | undefined;
	/** Only members after this key: that of the last member of the page before. */
	readonly after?: string | undefined;
}

export interface PresencePage {
	readonly members: readonly PresenceMember[];
	/** The number of all members. */
	readonly count: number;
	/** While the topic is watched on this node, the version is this node's own, as that of changes. */
	readonly version: PresenceVersion;
	/** Whether there are more members after these. */
	readonly hasMore: boolean;
	/** Whether the backend is unavailable, so that members of other nodes are as they were last known. */
	readonly isStale: boolean;
}

export interface PresenceChange {
	readonly topic: string;
	readonly joined: readonly PresenceMember[];
	/** As they were. */
	readonly left: readonly PresenceMember[];
	/** Their connections or their info have changed. */
	readonly updated: readonly PresenceMember[];
	readonly count: number;
	readonly version: PresenceVersion;
	/**
	 * Whether it is known who the members are. If not, because they are too many, or only counts are kept, `joined`,
	 * `left` and `updated` are empty.
	 */
	readonly areMembersKnown: boolean;
	/** Whether the backend is unavailable, so that members of other nodes are as they were last known. */
	readonly isStale: boolean;
}

/** The presence of sockets of this node, for frameworks. */
export interface SocketPresence {
	/** Whether the provider has the option `presence`, so that it may keep that of some topics. */
	readonly isEnabled: boolean;
	/** Returns whether a topic's presence is kept. */
	isKept(topic: string): boolean;
	/** Returns whether changes of the topic are told: `events` is not `none`. */
	isWatchable(topic: string): boolean;
	/**
	 * Sets the function that says what the server knows of a socket's user when the socket joins a topic. What it
	 * throws is logged, and the member has no such info. Returns a function that removes it.
	 */
	describeBy(describe: (socket: WebSocketConnection, topic: string) => PresenceInfo | undefined): () => void;
	/** Asks the function of `describeBy` again, for one topic of a socket or for all. */
	refresh(socketId: string, topic?: string): void;
	/**
	 * Sets what a socket adds to its member's info, instead of what it added before. Properties that the server has
	 * given win, so that no client can take another name.
	 *
	 * @throws {InvalidPresenceInfoError} the info is no plain object, has what JSON does not carry, or is too large
	 * together with the server's
	 * @throws {NotPresentError} the socket is not in the topic
	 */
	setOwnInfo(socketId: string, topic: string, own: PresenceInfo): void;
	/** Returns what a socket's info in a topic would be with `own`, for validation. */
	infoWith(socketId: string, topic: string, own: PresenceInfo): PresenceInfo;
	/**
	 * Begins to send a socket the changes of a topic, by `@presence`. Calls `answer` synchronously at the moment from
	 * which the changes are sent, with the members of then; not at all if the socket has left or `unwatch` was called
	 * before that. That can take a quarter of a second while members come and go, and a second if the backend does not
	 * answer. A socket can watch a topic again, for the members as they are then, also with other options, which replace
	 * those of before.
	 *
	 * @throws {UnknownSocketError} {ProviderNotStartedError} {ProviderStoppedError}
	 * @throws {InvalidOptionError} changes of the topic are not told
	 * @throws {PresenceUnavailableError} the backend is unavailable, and nothing is known of the topic here
	 */
	watch(
		socketId: string,
		topic: string,
		answer: (members: WatchedMembers) => void,
		options?: WatchOptions,
	): Promise<void>;
	/** Returns a further page for a socket that watches a topic; undefined if it does not, or only counts are known. */
	page(socketId: string, topic: string, after: string): WatchedMembers | undefined;
	/** Ends that. Idempotent. */
	unwatch(socketId: string, topic: string): void;
	/** Returns the number of topics that a socket watches. */
	watchedBy(socketId: string): number;
}

export interface WatchOptions {
	/** Whether the socket is told only how many members there are, also where they are known. Default false. */
	readonly isCountOnly?: boolean | undefined;
}

/** The members of a watched topic, or the first of them: at most 100, and 64 KiB of info. */
export interface WatchedMembers extends PresencePage {
	readonly areMembersKnown: boolean;
}
