import type { PresenceMember, SocketRequestError, StandardSchemaV1 } from '@orijs/websocket/protocol';

/** Information on a member, by the server and its own clients: a JSON object. */
export type PresenceInfo = Readonly<Record<string, unknown>>;

/** What a client changes of its own info. Properties that are undefined are removed. */
export type InfoChange<TInfo extends object = PresenceInfo> = {
	readonly [K in keyof TInfo]?: TInfo[K] | undefined;
};

/** What a client knows of a topic's members. @typeParam TInfo the type of their info */
export interface PresenceState<TInfo extends object = PresenceInfo> {
	/** Sorted by key; a new array whenever it changes. Empty while only the count is known. */
	readonly members: readonly PresenceMember<TInfo>[];
	/** The number of all members. Undefined until it is known for the first time. */
	readonly count: number | undefined;
	/** Whether it is known who the members are. If not, they are too many, or only counted. */
	readonly areMembersKnown: boolean;
	/**
	 * Whether this is how it was, and may have changed since: there is no connection, the client is not in the topic, or
	 * its server is cut off from other servers.
	 */
	readonly isStale: boolean;
}

/** What has changed of a topic's members, and what is known of them now. */
export interface MembersChange<TInfo extends object = PresenceInfo> extends PresenceState<TInfo> {
	/** Those who have come: at first, everyone who is there. */
	readonly joined: readonly PresenceMember<TInfo>[];
	/** Those who have left, as they were. */
	readonly left: readonly PresenceMember<TInfo>[];
	/** Those whose info or connections have changed, as they are now. */
	readonly updated: readonly PresenceMember<TInfo>[];
	readonly count: number;
}

export interface PresenceOptions<TInfo extends object = PresenceInfo> {
	/**
	 * Called once with everyone who is there, and then after each change. If only `isStale`, `areMembersKnown` or
	 * `count` has changed, `joined`, `left` and `updated` are empty. After a reconnect, only what has changed meanwhile
	 * is reported.
	 */
	readonly onChange?: ((change: MembersChange<TInfo>) => unknown) | undefined;
	/**
	 * Called when the server refuses the members, at first or later. The handle is closed by then. Such a refusal is not
	 * printed to the console.
	 */
	readonly onRefused?: ((error: SocketRequestError) => unknown) | undefined;
	/**
	 * A synchronous Standard Schema (zod, valibot, arktype, …) of the info, which gives it a type, and checks it. A
	 * member whose info does not match has none, but is listed and counted; the first time, a `MessageValidationError`
	 * is passed to the error listeners. Default: info is not checked.
	 */
	readonly schema?: StandardSchemaV1<unknown, TInfo> | undefined;
	/**
	 * With false, only the count is asked for: `members` is empty, and `onChange` is called when `count` or `isStale`
	 * has changed. If another handle of the topic needs the members, they are sent.
	 * Default true.
	 */
	readonly members?: boolean | undefined;
	/** Closes the handle. */
	readonly signal?: AbortSignal | undefined;
}

/** The members of a topic, as `client.presence()` keeps them up to date. */
export interface PresenceHandle<TInfo extends object = PresenceInfo> extends PresenceState<TInfo> {
	readonly topic: string;
	/** Whether it was closed, or the server has refused it. What it knows then no longer changes. */
	readonly isClosed: boolean;
	/**
	 * Resolves once the members are known, after the first `onChange`. Need not be awaited; a refusal is not printed to
	 * the console if it is.
	 *
	 * @throws {SocketRequestError} with the code of the server's refusal, such as `forbidden`, `not_kept` or
	 * `not_watchable`, or `closed` (it was closed before)
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
	update(info: InfoChange<TInfo>): Promise<void>;
	/** Ends it: `onChange` is no longer called. Can be called more than once. */
	close(): void;
}

/** What is known before anything is known. */
export const UNKNOWN: PresenceState = { members: [], count: undefined, areMembersKnown: false, isStale: true };
