import type { DisconnectedNotice } from '@orijs/websocket/protocol';

/**
 * - `idle`: `connect()` has not been called yet
 * - `connecting`: `auth()` was called, a connection is being opened, or its guards are running
 * - `ready`: messages are sent, immediately if the server's rate limit allows it
 * - `waiting`: the connection has ended or could not be opened; the client will try again after a delay
 * - `closed`: `close()` was called, or the client stopped reconnecting; `connect()` starts over
 */
export type ClientState = 'idle' | 'connecting' | 'ready' | 'waiting' | 'closed';

/** Why a connection has ended, or could not be opened. */
export interface ConnectionEnd {
	/** The close code, see PROTOCOL.md; 1006 if the network failed or the upgrade was refused. */
	readonly code: number;
	readonly reason: string;
	/**
	 * What the server has said if it disconnected the client by its own decision: a `code` such as `banned`, a `message`
	 * that can be shown to the user, and `reconnect`, whether the client may come back. If not, the state is `closed`.
	 */
	readonly disconnected?: DisconnectedNotice;
}

/** The details of a change of state. */
export interface StateChange {
	readonly previous: ClientState;
	/** Why the state is `waiting` or `closed`; undefined if `close()` was called. */
	readonly end?: ConnectionEnd;
	/**
	 * With `waiting`: the delay until the next attempt, in milliseconds. Unless the server chose the delay, it is cut
	 * short if the network comes back or the page becomes visible.
	 */
	readonly retryInMs?: number;
}
