/**
 * Returns a promise if the value has to be awaited, because it is a promise or another thenable, such as a query
 * builder; otherwise undefined. Never throws: a value whose `then` can't be read results in a rejected promise.
 */
export function promiseOf(value: unknown): Promise<unknown> | undefined {
	if (typeof value !== 'object' || value === null) return undefined;
	try {
		if (value instanceof Promise) return value;
		if (typeof (value as Partial<PromiseLike<unknown>>).then !== 'function') return undefined;
	} catch (error) {
		return Promise.reject(error);
	}
	// The runtime calls `then` asynchronously, and turns anything it throws into a rejection.
	return Promise.resolve(value);
}
