import * as CloseCode from './close-code.ts';

const DRAINED = /(?:^|; )drained(?:;|$)/;

/** The close reason of a stopping server that has answered all requests that it has handled. */
export const DRAINED_REASON = 'server is stopping; drained';

/** Returns whether a close frame means that unanswered requests were not handled, and can safely be sent again. */
export function wasDrained(code: number, reason: string): boolean {
	return code === CloseCode.serviceRestart && DRAINED.test(reason);
}

const HINT = /(?:^|; )retry-after-ms=(\d{1,9})$/;

/** Adds to a close reason the delay after which the client should reconnect, in milliseconds. */
export function withRetryHint(reason: string, delayMs: number): string {
	return `${reason}; retry-after-ms=${Math.round(delayMs)}`;
}

/** Returns the delay after which to reconnect, in milliseconds; undefined if the close reason does not have one. */
export function readRetryHint(reason: string): number | undefined {
	const delay = HINT.exec(reason)?.[1];
	return delay === undefined ? undefined : Number(delay);
}
