export interface Deferred<T> {
	readonly promise: Promise<T>;
	resolve(value: T): void;
	reject(error: Error): void;
}

/** Like `Promise.withResolvers`, which Node lacks before version 22, but the promise is {@link quiet}. */
export function deferred<T = void>(): Deferred<T> {
	let resolve!: (value: T) => void;
	let reject!: (error: Error) => void;
	const promise = new Promise<T>((yes, no) => {
		resolve = yes;
		reject = no;
	});
	return { promise: quiet(promise), resolve, reject };
}

/** Returns the same promise, but its rejection is not reported as unhandled. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
	promise.catch(() => {});
	return promise;
}

/**
 * Calls `aborted` when the signal is aborted, and `late` after `ms` milliseconds. Returns a function that prevents
 * both.
 */
export function limit(
	signal: AbortSignal | undefined,
	aborted: () => void,
	ms?: number,
	late: () => void = aborted,
): () => void {
	const timer = ms && setTimeout(late, ms);
	signal?.addEventListener('abort', aborted);
	return () => {
		clearTimeout(timer);
		signal?.removeEventListener('abort', aborted);
	};
}

/**
 * Runs a task and resolves or rejects like it. If it does not settle within `ms` milliseconds, or when `life` is
 * aborted, aborts the task's signal and rejects.
 *
 * @param what names the task in the error
 */
export function within<T>(
	ms: number,
	life: AbortController,
	what: string,
	task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
	const call = new AbortController();
	const settled = limit(life.signal, () => call.abort(), ms);
	return new Promise<T>((resolve, reject) => {
		call.signal.onabort = () => reject(new Error(`${what} took longer than ${ms} ms`));
		task(call.signal).then(resolve, reject);
	}).finally(settled);
}

/** Converts a thrown value to an `Error`. Never throws, not even for values that can't be converted to strings. */
export function toError(thrown: unknown): Error {
	if (thrown instanceof Error) return thrown;
	let message = 'a non-error was thrown';
	try {
		message = String(thrown);
	} catch {
		// The cause remains.
	}
	return new Error(message, { cause: thrown });
}
