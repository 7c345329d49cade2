/**
 * What was returned, if it has to be waited for: promises, and what query builders give that is no `Promise`. Never throws, whatever
 * the value is: one that can't be waited for is a rejected promise.
 */
export function promiseOf(value: unknown): Promise<unknown> | undefined {
	if (typeof value !== 'object' || value === null) return undefined;
	try {
		if (value instanceof Promise) return value;
		if (typeof (value as Partial<PromiseLike<unknown>>).then !== 'function') return undefined;
	} catch (error) {
		return Promise.reject(error);
	}
	// It is called by the runtime, in its own time, with all that it may throw.
	return Promise.resolve(value);
}
