export interface Deferred<T> {
	readonly promise: Promise<T>;
	resolve(value: T): void;
	reject(error: Error): void;
}

/** As `Promise.withResolvers`, which Node has from 22 on. The promise crashes nobody who does not await it. */
export function deferred<T = void>(): Deferred<T> {
	let resolve!: (value: T) => void;
	let reject!: (error: Error) => void;
	const promise = new Promise<T>((yes, no) => {
		resolve = yes;
		reject = no;
	});
	return { promise: quiet(promise), resolve, reject };
}

/** The same promise, which rejects for whoever awaits it and crashes nobody who doesn't. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
	promise.catch(() => {});
	return promise;
}
