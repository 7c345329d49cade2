/** Why the server ends a connection: the codes of close frames. Those from 4000 are this system's own. */
export const CloseCode = {
	/** The message was no text, and nothing takes binary ones. */
	unsupportedData: 1003,
	/** The message was larger than `limits.messageBytes`. */
	messageTooBig: 1009,
	/** Something failed on the server; its log says what. */
	internalError: 1011,
	/** The server stops or restarts: come back after {@link readRetryHint}. */
	serviceRestart: 1012,
	/** The client reads too slowly; it has missed messages. */
	tryAgainLater: 1013,
	/** A guard said no. Not worth another try with the same credentials. */
	unauthorized: 4401,
	/** The client's first message, or the guards, took too long. */
	guardTimeout: 4408,
	/** The client went on sending too fast. */
	tooManyMessages: 4429,
} as const;

const DRAINED = /(?:^|; )drained(?:;|$)/;

/** The reason of a server that stops, and has handled and answered before all that it is ever going to. */
export const DRAINED_REASON = 'server is stopping; drained';

/**
 * Whether a close frame says that what the client has asked on that connection, and was not answered, was not handled: to ask again is safe.
 */
export function wasDrained(code: number, reason: string): boolean {
	return code === CloseCode.serviceRestart && DRAINED.test(reason);
}

const HINT = /(?:^|; )retry-after-ms=(\d{1,9})$/;

/** A close frame's reason that says when to come back. */
export function withRetryHint(reason: string, delayMs: number): string {
	return `${reason}; retry-after-ms=${Math.round(delayMs)}`;
}

/** How long to wait before coming back, in milliseconds, as a close frame's reason says; undefined if it doesn't. */
export function readRetryHint(reason: string): number | undefined {
	const delay = HINT.exec(reason)?.[1];
	return delay === undefined ? undefined : Number(delay);
}
