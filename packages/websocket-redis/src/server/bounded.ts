/** Runs something asynchronous. Rejects with `late()` after `ms` milliseconds, or once the signal is aborted. */
export async function bounded<T>(
	ms: number,
	signal: AbortSignal,
	run: () => T | Promise<T>,
	late: () => Error,
): Promise<T> {
	signal.throwIfAborted();
	const { promise, resolve, reject } = Promise.withResolvers<T>();
	const timer = setTimeout(() => reject(late()), ms);
	const onAbort = (): void => reject(signal.reason);
	signal.addEventListener('abort', onAbort);
	Promise.try(run).then(resolve, reject);
	try {
		return await promise;
	} finally {
		clearTimeout(timer);
		signal.removeEventListener('abort', onAbort);
	}
}
