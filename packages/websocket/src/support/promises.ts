/** A fulfilled promise. It is shared, so that the common case allocates nothing. */
export const DONE: Promise<void> = Promise.resolve();

/** Returns the same promise. If it rejects without being awaited, it does not count as an unhandled rejection. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
	promise.catch(ignore);
	return promise;
}

/** Returns a rejected promise that never counts as an unhandled rejection. */
export function rejected(error: Error): Promise<never> {
	return quiet(Promise.reject(error));
}

function ignore(): void {}

/**
 * Rejects with `late()` if the promise does not settle in time.
 *
 * @param options.unref whether the process may exit while the timer is running; default false
 */
export async function within<T>(
	ms: number,
	promise: Promise<T>,
	late: () => Error,
	{ unref = false }: { readonly unref?: boolean } = {},
): Promise<T> {
	const { promise: timeout, reject } = Promise.withResolvers<never>();
	const timer = setTimeout(() => reject(late()), ms);
	if (unref) timer.unref();
	try {
		return await Promise.race([promise, timeout]);
	} finally {
		clearTimeout(timer);
	}
}

/**
 * Resolves when the promise settles, or after `ms` milliseconds. Resolves immediately if there is no promise or no time
 * left. Never rejects.
 */
export async function settledWithin(ms: number, promise: Promise<unknown> | undefined): Promise<void> {
	const { promise: timeout, resolve } = Promise.withResolvers<void>();
	const timer = setTimeout(resolve, Math.max(0, ms));
	await Promise.race([promise?.catch(ignore), timeout]);
	clearTimeout(timer);
}

/**
 * Returns a thrown value as an Error, wrapped if it is not one. Never throws, not even for values that can't be
 * inspected.
 */
export function toError(thrown: unknown): Error {
	try {
		return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
	} catch {
		return new Error('a value was thrown that is not an error', { cause: thrown });
	}
}

export function sleep(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}
