import type { Logger, SubscribeOptions } from '@orijs/websocket';
import type { RequestMessage } from '@orijs/websocket/protocol';

/**
 * A connection's state while the guards are filling it. A field is undefined until it is set. A guard can set it to
 * null if the value was not found.
 */
export type PartialState<TState extends object> = { -readonly [K in keyof TState]: TState[K] | null | undefined };

/** What guards can choose about a subscription. */
export type GuardSubscribeOptions = Pick<SubscribeOptions, 'past'>;

/** The argument of a connection guard. */
export interface GuardContext<TState extends object = object> {
	/** The connection's state: initially empty, filled by the guards, and read by handlers as `ctx.state`. */
	readonly state: PartialState<TState>;
	/**
	 * Who the user is: one identity for all connections of one user, 1 to 256 characters. Initially what `upgrade` has
	 * set as `response.userId`; undefined if no one sets it. A client that renews its credentials must remain the same
	 * user.
	 *
	 * @throws {InvalidUserIdError} when set to anything else
	 */
	get userId(): string | undefined;
	set userId(userId: string);
	/**
	 * Until when the client's credentials are valid: a Date, or milliseconds since the epoch. `SocketClient` renews them
	 * before that by itself; a client that does not is closed with 4401, `token_expired`. From when this is set, time is
	 * measured by the monotonic clock. Undefined, the default: they don't expire.
	 *
	 * @throws {ApplicationError} when set to anything else, or to a time before 2001, which is usually one in seconds
	 */
	expiresAt: Date | number | undefined;
	/** The connection's data, as returned by `upgrade()`. */
	readonly data: object;
	/** The headers of the upgrade request. */
	readonly headers: Headers;
	/** The cookies of the upgrade request. */
	readonly cookies: Bun.CookieMap;
	/**
	 * The client's own address, even if the connection came through `trustedProxies`; `unix` if it came through a Unix
	 * socket that is not trusted.
	 */
	readonly remoteAddress: string;
	readonly socketId: string;
	/** Aborted when the connection ends. */
	readonly signal: AbortSignal;
	/** A logger that adds the socket's id to each line. */
	readonly log: Logger;

	/**
	 * Subscribes the connection to a topic once all guards have passed, before its client is ready; if one refuses, this
	 * leaves no trace. The promise does not wait for the backend, which is asked at once. When a client renews its
	 * credentials, it leaves the topics to which earlier guards have subscribed it and these do not.
	 *
	 * @throws {InvalidTopicError} {InvalidOptionError}
	 * @throws {TooManyTopicsError} `limits.topicsPerSocket` is reached
	 * @throws {UnknownSocketError} the guards have already failed, or the connection has ended
	 */
	subscribe(topic: string, options?: GuardSubscribeOptions): Promise<void>;
	/** Takes back what {@link subscribe} has asked for. Does nothing if there is no such topic. */
	unsubscribe(topic: string): Promise<void>;
	/**
	 * Never sends anything: the client can't answer before the guards have passed. Ask it in `onOpen` or a handler.
	 *
	 * @throws {SocketRequestError} always, with the code `not_ready`
	 */
	request(message: RequestMessage, data?: unknown, options?: object): Promise<never>;
}

/** The argument of `authenticate`. */
export interface AuthenticateContext<TState extends object = object> extends GuardContext<TState> {
	/**
	 * The data of the client's `@auth` message (what its `auth()` returned), not validated; undefined if its first
	 * message was not `@auth`. Guards that run later don't have it.
	 */
	readonly auth: unknown;
}
