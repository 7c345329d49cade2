import type { Logger } from '@orijs/websocket';

/**
 * A connection's state while the guards are filling it. A field is undefined until it is set. A guard can set it to
 * null if the value was not found.
 */
export type PartialState<TState extends object> = { -readonly [K in keyof TState]: TState[K] | null | undefined };

/** The argument of a connection guard. */
export interface GuardContext<TState extends object = object> {
	/**
	 * The data of the client's `@auth` message (what its `auth()` returned), not validated; undefined if its first
	 * message was not `@auth`.
	 */
	readonly auth: unknown;
	/** The connection's state: initially empty, filled by the guards, and read by handlers as `ctx.state`. */
	readonly state: PartialState<TState>;
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
}
