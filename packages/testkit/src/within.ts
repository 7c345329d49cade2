/**
 * Thrown when an event that a test waited for has not happened in time. The message names the event and describes the
 * current state.
 */
export class TimeoutError extends Error {
	override readonly name = 'TimeoutError';
}

/** Resolves or rejects like the promise, or rejects with `late()` if it does not settle within `ms` milliseconds. */
export async function within<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
	const { promise: timeout, reject } = Promise.withResolvers<never>();
	const timer = setTimeout(() => reject(late()), ms);
	try {
		return await Promise.race([promise, timeout]);
	} finally {
		clearTimeout(timer);
	}
}

/**
 * Returns a `late` callback for {@link within}. It calls `message` when the time is up, so that the message can
 * describe the state at that moment. The error is created in advance, so that its stack contains the line of the test
 * that waits.
 */
export function timeoutError(message: () => string): () => TimeoutError {
	const error = new TimeoutError();
	return () => {
		error.message = message();
		return error;
	};
}
