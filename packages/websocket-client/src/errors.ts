import type { ConnectionEnd } from './connection/state.ts';

/** An option of a client that can't work. */
export class InvalidClientOptionError extends Error {
	override readonly name = 'InvalidClientOptionError';
	constructor(reason: string) {
		super(`Invalid client option: ${reason}`);
	}
}

/** There is no connection, and the client does not try to get one: it was closed, or has given up. */
export class ClientClosedError extends Error {
	override readonly name = 'ClientClosedError';
	/** Why it has given up; undefined if it was closed by `close()`. */
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
	/** `queue_full`: too much waits for the connection; `not_ready`: it was not to wait for one; `closed`: the client was closed, or gave up; `not_json`: its data is none. */
	readonly code: UnsentCode;
	constructor(messageName: string, code: UnsentCode, message: string, options?: ErrorOptions) {
		super(`${messageName} was not sent: ${message} (${code})`, options);
		this.messageName = messageName;
		this.code = code;
	}
}

export type UnsentCode = 'queue_full' | 'not_ready' | 'closed' | 'not_json';

/** The connection was lost, and messages that were sent on it may not have arrived; the server never said that they had. */
export class UnconfirmedMessagesError extends Error {
	override readonly name = 'UnconfirmedMessagesError';
	/** How many, at most: the last ones that were sent. Requests are not among them, each of which has its own error. */
	readonly count: number;
	constructor(count: number) {
		super(`The connection was lost, and the last ${count} messages that were sent may not have arrived`);
		this.count = count;
	}
}

/** The server says something that a client can't make sense of. */
export class ProtocolError extends Error {
	override readonly name = 'ProtocolError';
}
