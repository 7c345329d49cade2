import type { Logger } from '@orijs/websocket';

/** State that is being found out: what is not set yet is undefined, and what was looked for and not there may be null. */
export type PartialState<TState extends object> = { -readonly [K in keyof TState]: TState[K] | null | undefined };

/** What a connection guard knows and may do. */
export interface GuardContext<TState extends object = object> {
	/** What the client sent in its first frame (what its `auth()` returned); undefined if it sent something else first. Not validated. */
	readonly auth: unknown;
	/** For the guards to fill; handlers read it as `ctx.state`. Empty at first. */
	readonly state: PartialState<TState>;
	/** The connection's data, as `upgrade()` returned it. */
	readonly data: object;
	/** The headers of the upgrade request. */
	readonly headers: Headers;
	/** The cookies of the upgrade request. */
	readonly cookies: Bun.CookieMap;
	/** The client's address; behind trusted proxies, the one they tell. */
	readonly remoteAddress: string;
	readonly socketId: string;
	/** Aborted when the connection ends. */
	readonly signal: AbortSignal;
	/** Says with each line which socket it is about. */
	readonly log: Logger;
}
