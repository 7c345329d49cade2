/** Something that a test waited for did not happen in time. The message names it and describes the state instead. */
export class TimeoutError extends Error {
	override readonly name = 'TimeoutError';
}

/** Rejects with `late()` if the promise does not settle in time. */
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
 * Returns a `late` for {@link within}. It calls `message` when the time is up, so that it can describe the state at
 * that moment. The error is created in advance: its stack leads to the line of the test that waits.
 */
export function timeoutError(message: () => string): () => TimeoutError {
	const error = new TimeoutError();
	return () => {
		error.message = message();
		return error;
	};
}
