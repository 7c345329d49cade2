/**
 * What a client is doing.
 *
 * - `idle`: `connect()` was not called yet
 * - `connecting`: a token is fetched, a connection opened, or its guards are asked
 * - `ready`: what is sent goes out at once
 * - `waiting`: the connection has ended or could not be opened; the next try comes by itself
 * - `closed`: by `close()`, or given up; `connect()` begins anew
 */
export type ClientState = 'idle' | 'connecting' | 'ready' | 'waiting' | 'closed';

/** Why a connection has ended, or could not be opened. */
export interface ConnectionEnd {
	/** The close code, as in the table of PROTOCOL.md; 1006 where the network, or a refused upgrade, says nothing more. */
	readonly code: number;
	readonly reason: string;
}

/** What a change of state is about. */
export interface StateChange {
	readonly previous: ClientState;
	/** Why: there when it is `waiting` or `closed`, unless `close()` was called. */
	readonly end?: ConnectionEnd;
	/** When it is `waiting`: how long, in milliseconds, unless something says before that it is worth a try. */
	readonly retryInMs?: number;
}
