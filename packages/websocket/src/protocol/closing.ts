/** The codes with which the server closes connections. Codes from 4000 on are specific to this system. */
export const CloseCode = {
	/** The client sent a binary message, which the server has no handler for. */
	unsupportedData: 1003,
	/** The client sent a message larger than `limits.messageBytes`. */
	messageTooBig: 1009,
	/** The server failed; its log says why. */
	internalError: 1011,
	/** The server is stopping or restarting. Reconnect after the delay that {@link readRetryHint} returns. */
	serviceRestart: 1012,
	/** The client reads too slowly; it has missed messages. */
	tryAgainLater: 1013,
	/** A guard rejected the client. A retry with the same credentials is pointless. */
	unauthorized: 4401,
	/** The server has disconnected the client for good; the reason says why. */
	disconnected: 4403,
	/** The client's first message, or the guards, took too long. */
	guardTimeout: 4408,
	/** The client kept sending too fast. */
	tooManyMessages: 4429,
	/** The server has disconnected the client. Reconnect after the delay that {@link readRetryHint} returns. */
	reconnect: 4503,
} as const;

/** Repeated, so that bundlers can leave out the table. */
const SERVICE_RESTART: typeof CloseCode.serviceRestart = 1012;

const DRAINED = /(^|; )drained(;|$)/;

/** The close reason of a stopping server that has answered all requests that it has handled. */
export const DRAINED_REASON = 'server is stopping; drained';

/** Returns whether a close frame means that unanswered requests were not handled, and can safely be sent again. */
export function wasDrained(code: number, reason: string): boolean {
	return code === SERVICE_RESTART && DRAINED.test(reason);
}

const HINT = /(^|; )retry-after-ms=(\d{1,9})$/;

/** Adds to a close reason the delay after which the client should reconnect, in milliseconds. */
export function withRetryHint(reason: string, delayMs: number): string {
	return `${reason}; retry-after-ms=${Math.round(delayMs)}`;
}

/** Returns the delay after which to reconnect, in milliseconds; undefined if the close reason does not have one. */
export function readRetryHint(reason: string): number | undefined {
	const delay = HINT.exec(reason)?.[2];
	return delay === undefined ? undefined : Number(delay);
}
