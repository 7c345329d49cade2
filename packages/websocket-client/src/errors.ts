import type { ConnectionEnd } from './connection/client-state.ts';

/** An option of a client is invalid. */
export class InvalidClientOptionError extends Error {
	override readonly name = 'InvalidClientOptionError';
	constructor(reason: string) {
		super(`Invalid client option: ${reason}`);
	}
}

/** The client neither has a connection nor tries to open one: it was closed, or stopped reconnecting. */
export class ClientClosedError extends Error {
	override readonly name = 'ClientClosedError';
	/** Why it stopped reconnecting; undefined after `close()`. */
	readonly end: ConnectionEnd | undefined;
	constructor(end?: ConnectionEnd) {
		super(end === undefined ? 'The client is closed' : `The client stopped reconnecting: ${end.code} ${end.reason}`);
		this.end = end;
	}
}

/** A message that was not sent. */
export class UnsentMessageError extends Error {
	override readonly name = 'UnsentMessageError';
	/** The message's name. */
	readonly messageName: string;
	/**
	 * - `queue_full`: too many messages wait for a connection
	 * - `not_ready`: it could not be sent at once, and was not to be queued
	 * - `closed`: the client was closed, or stopped reconnecting
	 * - `not_json`: its data can't be written as JSON
	 */
	readonly code: UnsentCode;
	constructor(messageName: string, code: UnsentCode, message: string, options?: ErrorOptions) {
		super(`${messageName} was not sent: ${message} (${code})`, options);
		this.messageName = messageName;
		this.code = code;
	}
}

export type UnsentCode = 'queue_full' | 'not_ready' | 'closed' | 'not_json';

/** The connection was lost, and the server has not confirmed the last messages that were sent on it. */
export class UnconfirmedMessagesError extends Error {
	override readonly name = 'UnconfirmedMessagesError';
	/** How many of the last messages may be lost, at most. Requests don't count: each of them rejects by itself. */
	readonly count: number;
	constructor(count: number) {
		const last = count === 1 ? 'last message' : `last ${count} messages`;
		super(`The connection was lost. The ${last} may not have arrived`);
		this.count = count;
	}
}

/** The server does not speak the protocol. */
export class ProtocolError extends Error {
	override readonly name = 'ProtocolError';
}
