/** Something that a test waited for did not happen in time. The message says what was waited for and what was there instead. */
export class TimeoutError extends Error {
	override readonly name = 'TimeoutError';
}

/**
 * The promise's outcome, or a `TimeoutError` after `timeoutMs`.
 * `message` is asked only when time is up, so that it can describe the state at that moment.
 */
export async function within<T>(promise: Promise<T>, timeoutMs: number, message: () => string): Promise<T> {
	// Created here and not in the timer: its stack then leads to the waiting line of the test.
	const error = new TimeoutError();
	const late = Promise.withResolvers<never>();
	const timer = setTimeout(() => {
		error.message = message();
		late.reject(error);
	}, timeoutMs);
	try {
		return await Promise.race([promise, late.promise]);
	} finally {
		clearTimeout(timer);
	}
}
