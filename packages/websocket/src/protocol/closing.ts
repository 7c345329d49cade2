/** Close codes: why the server ends a connection. Those from 4000 are this system's own. */
export const CloseCode = {
	/** The message was binary, and nothing handles binary messages. */
	unsupportedData: 1003,
	/** The message was larger than `limits.messageBytes`. */
	messageTooBig: 1009,
	/** Something failed on the server; its log says what. */
	internalError: 1011,
	/** The server is stopping or restarting: reconnect after {@link readRetryHint}. */
	serviceRestart: 1012,
	/** The client reads too slowly; it has missed messages. */
	tryAgainLater: 1013,
	/** A guard refused. A retry with the same credentials is pointless. */
	unauthorized: 4401,
	/** The client's first message, or the guards, took too long. */
	guardTimeout: 4408,
	/** The client kept sending too fast. */
	tooManyMessages: 4429,
} as const;

const DRAINED = /(?:^|; )drained(?:;|$)/;

/** The reason of a stopping server that has already handled and answered everything it is going to. */
export const DRAINED_REASON = 'server is stopping; drained';

/**
 * Whether a close frame says that requests which were not answered on that connection were not handled either, so
 * that it is safe to repeat them.
 */
export function wasDrained(code: number, reason: string): boolean {
	return code === CloseCode.serviceRestart && DRAINED.test(reason);
}

const HINT = /(?:^|; )retry-after-ms=(\d{1,9})$/;

/** Adds to a close reason how long the client should wait before it reconnects. */
export function withRetryHint(reason: string, delayMs: number): string {
	return `${reason}; retry-after-ms=${Math.round(delayMs)}`;
}

/** Returns how long to wait before reconnecting, in milliseconds; undefined if the close reason does not say. */
export function readRetryHint(reason: string): number | undefined {
	const delay = HINT.exec(reason)?.[1];
	return delay === undefined ? undefined : Number(delay);
}
