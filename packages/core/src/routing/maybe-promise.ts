/** A result that is available now or later. */
export type MaybePromise<T> = T | Promise<T>;

/** Whether a result is available without waiting. */
export function isAvailable<T extends object | string | undefined>(result: MaybePromise<T>): result is T {
	return !(result instanceof Promise);
}

/** Resolves with all results once the last one is available. */
export function allOf<T>(results: readonly MaybePromise<T>[]): Promise<T[]> {
	return Promise.all(results.map((result) => Promise.resolve(result)));
}
