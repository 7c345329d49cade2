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

/** Resolves or rejects like the promise, or rejects with `late()` if it does not settle within `ms` milliseconds. */
export async function within<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
	const { promise: timeout, reject } = deferred<never>();
	const timer = setTimeout(() => reject(late()), ms);
	try {
		return await Promise.race([promise, timeout]);
	} finally {
		clearTimeout(timer);
	}
}

/** Converts a thrown value to an `Error`. Never throws, not even for values that can't be converted to strings. */
export function toError(thrown: unknown): Error {
	if (thrown instanceof Error) return thrown;
	try {
		return new Error(String(thrown), { cause: thrown });
	} catch {
		return new Error('a non-error was thrown', { cause: thrown });
	}
}
