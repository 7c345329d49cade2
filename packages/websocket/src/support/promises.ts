/** A promise that is already fulfilled; shared, so that the common case allocates nothing. */
export const DONE: Promise<void> = Promise.resolve();

/** The same promise, which rejects for whoever awaits it and crashes nobody who doesn't. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
	promise.catch(ignore);
	return promise;
}

/** A rejected promise that crashes nobody. */
export function rejected(error: Error): Promise<never> {
	return quiet(Promise.reject(error));
}

function ignore(): void {}

/** Rejects with `late()` when the promise is not settled in time. */
export async function within<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
	const { promise: timeout, reject } = Promise.withResolvers<never>();
	const timer = setTimeout(() => reject(late()), ms);
	try {
		return await Promise.race([promise, timeout]);
	} finally {
		clearTimeout(timer);
	}
}

/** Resolves when the promise is settled, or after so many milliseconds. The promise is not to reject. */
export async function settledWithin(ms: number, promise: Promise<unknown>): Promise<void> {
	const { promise: timeout, resolve } = Promise.withResolvers<void>();
	const timer = setTimeout(resolve, ms);
	await Promise.race([promise, timeout]);
	clearTimeout(timer);
}

/** What was thrown, as an Error. */
export function toError(thrown: unknown): Error {
	return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}
