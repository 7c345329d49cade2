import type { ConnectionEnd } from './connection/client-state.ts';

/** Thrown when an option of the client or of one of its calls is invalid, or `connect()` lacks what it needs. */
export class InvalidClientOptionError extends Error {
	override readonly name = 'InvalidClientOptionError';
	constructor(reason: string) {
		super(`Invalid client option: ${reason}`);
	}
}

/** Thrown when the client has no connection and does not try to open one: it was closed, or stopped reconnecting. */
export class ClientClosedError extends Error {
	override readonly name = 'ClientClosedError';
	/** Why the client stopped reconnecting; undefined after `close()`. */
	declare readonly end: ConnectionEnd | undefined;
	constructor(end?: ConnectionEnd) {
		const told = end?.disconnected ? ` (${end.disconnected.message})` : '';
		super(end ? `The client stopped reconnecting: ${end.code} ${end.reason}${told}` : 'The client is closed');
		this.end = end;
	}
}

/** Reported when no connection becomes ready. The message says what was found and what to check. */
export class ConnectError extends Error {
	override readonly name = 'ConnectError';
}

/** Thrown when a message already has a handler. */
export class DuplicateHandlerError extends Error {
	override readonly name = 'DuplicateHandlerError';
}

/** Thrown when a message was not sent. */
export class UnsentMessageError extends Error {
	override readonly name = 'UnsentMessageError';
	/** The message's name. */
	declare readonly messageName: string;
	/**
	 * - `queue_full`: too many messages, or too many characters, are queued already
	 * - `not_ready`: the message could not be sent immediately, and `queue: false` was set
	 * - `closed`: the client was closed, or stopped reconnecting
	 * - `unsupported_value`: the message's data has a value that can't be sent, such as NaN or a Map
	 * - `too_large`: the message is larger than the server accepts
	 * - `replaced`: a newer message with the same `latest` key took the place of this one while it waited
	 */
	declare readonly code: UnsentCode;
	constructor(messageName: string, code: UnsentCode, message: string) {
		super(`${messageName} was not sent: ${message} (${code})`);
		this.messageName = messageName;
		this.code = code;
	}
}

export type UnsentCode = 'queue_full' | 'not_ready' | 'closed' | 'unsupported_value' | 'too_large' | 'replaced';

/** Reported when the connection was lost before the server had confirmed the last messages sent on it. */
export class UnconfirmedMessagesError extends Error {
	override readonly name = 'UnconfirmedMessagesError';
	/** At most this many messages were lost. Requests are not counted, because their own promises reject. */
	declare readonly count: number;
	constructor(count: number) {
		super(`Connection lost; messages that may not have arrived: up to ${count}`);
		this.count = count;
	}
}
