import { within } from '../support/promises.ts';
import { APPLIED_WITHIN_MS } from './presence-store.ts';

/** How long to wait for an answer of the backend, in milliseconds: what comes later has no effect any more. */
export const ANSWER_MS: number = APPLIED_WITHIN_MS + 3_000;

/** Rejects if a call of the store is not answered in time, so that it does not keep others from their turn. */
export function answered<T>(call: Promise<T>): Promise<T> {
	return within(ANSWER_MS, call, noAnswer, UNREF);
}

const UNREF = { unref: true };

function noAnswer(): Error {
	return new Error(`the backend has not answered within ${ANSWER_MS} ms`);
}
