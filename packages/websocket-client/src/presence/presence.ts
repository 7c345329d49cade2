import type { PresenceMember } from '@orijs/websocket/protocol';

/** What a client says of itself: a JSON object. */
export type PresenceInfo = Readonly<Record<string, unknown>>;

/** What a client knows of a topic's members. */
export interface PresenceState {
	/** Sorted by key; a new array whenever it changes. Empty while only the count is known. */
	readonly members: readonly PresenceMember[];
	/** The number of all members. Undefined until it is known for the first time. */
	readonly count: number | undefined;
	/** Whether it is known who the members are. If not, they are too many, or the server only counts them. */
	readonly areMembersKnown: boolean;
	/**
	 * Whether this is how it was, and may have changed since: there is no connection, the client is not in the topic, or
	 * its server is cut off from other servers.
	 */
	readonly isStale: boolean;
}

/** What has changed of a topic's members, and what is known of them now. */
export interface MembersChange extends PresenceState {
	/** Those who have come: at first, everyone who is there. */
	readonly joined: readonly PresenceMember[];
	/** Those who have left, as they were. */
	readonly left: readonly PresenceMember[];
	/** Those whose info or connections have changed, as they are now. */
	readonly updated: readonly PresenceMember[];
	readonly count: number;
}

export interface PresenceOptions {
	/**
	 * Called once with everyone who is there, and then after each change. If only `isStale`, `areMembersKnown` or
	 * `count` has changed, `joined`, `left` and `updated` are empty. After a reconnect, only what has changed meanwhile
	 * is reported.
	 */
	readonly onChange?: ((change: MembersChange) => unknown) | undefined;
	/** Closes the handle. */
	readonly signal?: AbortSignal | undefined;
}

/** The members of a topic, as `client.presence()` keeps them up to date. */
export interface PresenceHandle extends PresenceState {
	readonly topic: string;
	/** Whether it was closed, or the server has refused it. What it knows then no longer changes. */
	readonly isClosed: boolean;
	/**
	 * Resolves once the members are known, after the first `onChange`. Need not be awaited.
	 *
	 * @throws {SocketRequestError} with the code of the server's refusal, such as `forbidden` or `not_kept`, or `closed`
	 * (it was closed before)
	 * @throws {InvalidTopicError} {InvalidClientOptionError} an argument of `presence()` is invalid
	 * @throws {ClientClosedError} the client was closed, or stopped reconnecting, before the members were known
	 * @throws the reason of `signal`
	 */
	readonly ready: Promise<void>;
	/**
	 * Sets properties of the client's own info in the topic; a property that is undefined is removed. Resolves once the
	 * server has accepted it. The info is sent again after each reconnect, until the topic's last handle is closed. It
	 * waits while there is no connection, or the client is not in the topic; updates that wait are sent together.
	 *
	 * @throws {InvalidClientOptionError} {UnsentMessageError} the info is no object of JSON values
	 * @throws {SocketRequestError} with the code of the server's refusal, such as `invalid_data` or `too_large`: all is
	 * as before this call; or `closed`
	 * @throws {ClientClosedError} the client was closed, or stopped reconnecting, before the server had accepted it
	 */
	update(info: PresenceInfo): Promise<void>;
	/** Ends it: `onChange` is no longer called. Can be called more than once. */
	close(): void;
}

/** What is known before anything is known. */
export const UNKNOWN: PresenceState = { members: [], count: undefined, areMembersKnown: false, isStale: true };
