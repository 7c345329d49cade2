/**
 * - `idle`: `connect()` has not been called yet
 * - `connecting`: `auth()` was called, a connection is being opened, or its guards are running
 * - `ready`: messages are sent at once
 * - `waiting`: the connection has ended or could not be opened; the next attempt follows by itself
 * - `closed`: `close()` was called, or the client stopped reconnecting; `connect()` starts over
 */
export type ClientState = 'idle' | 'connecting' | 'ready' | 'waiting' | 'closed';

/** Why a connection has ended, or could not be opened. */
export interface ConnectionEnd {
	/** The close code, see PROTOCOL.md; 1006 if the network failed or the upgrade was refused. */
	readonly code: number;
	readonly reason: string;
}

/** The details of a change of state. */
export interface StateChange {
	readonly previous: ClientState;
	/** The cause of `waiting` or `closed`, unless `close()` was called. */
	readonly end?: ConnectionEnd;
	/** With `waiting`: the delay in milliseconds, which ends early if the network or the page comes back. */
	readonly retryInMs?: number;
}
