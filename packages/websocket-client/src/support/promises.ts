export interface Deferred<T> {
	readonly promise: Promise<T>;
	resolve(value: T): void;
	reject(error: Error): void;
}

/** `Promise.withResolvers`, which Node lacks before version 22, with a {@link quiet} promise. */
export function deferred<T = void>(): Deferred<T> {
	let resolve!: (value: T) => void;
	let reject!: (error: Error) => void;
	const promise = new Promise<T>((yes, no) => {
		resolve = yes;
		reject = no;
	});
	return { promise: quiet(promise), resolve, reject };
}

/** Returns the same promise, whose rejection is no longer reported as unhandled. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
	promise.catch(() => {});
	return promise;
}

/** Rejects with `late()` if the promise has not settled within `ms` milliseconds. */
export async function within<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
	const { promise: timeout, reject } = deferred<never>();
	const timer = setTimeout(() => reject(late()), ms);
	try {
		return await Promise.race([promise, timeout]);
	} finally {
		clearTimeout(timer);
	}
}

/** Returns what was thrown as an `Error`. Never throws, not even for values that have no text form. */
export function toError(thrown: unknown): Error {
	if (thrown instanceof Error) return thrown;
	try {
		return new Error(String(thrown), { cause: thrown });
	} catch {
		return new Error('a non-error was thrown', { cause: thrown });
	}
}
