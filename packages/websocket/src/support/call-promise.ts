/** Receives the errors of calls whose promises are not awaited. */
export interface CallLog {
	/** Whether a call failed only because its socket has left, which is not a fault. */
	isByLeaving(error: unknown): boolean;
	/** Called with the error of a call whose promise was not awaited. */
	ignored(error: unknown, isByLeaving: boolean): void;
}

/**
 * The promise of a call that can fail. A caller that awaits it (by `await`, `then`, `catch` or `Promise.all`) handles
 * the rejection; if the promise is not awaited, the rejection is reported. It never counts as an unhandled rejection.
 */
export class CallPromise<T> extends Promise<T> {
	#isAwaited = false;
	/** The log of the object that received the call. */
	#callee: CallLog | undefined;
	/** Reports a rejection that was not handled. */
	#reporter: CallLog | undefined;

	// Promises derived from this one are plain: the code that creates them must handle their rejections.
	static override get [Symbol.species](): PromiseConstructor {
		return Promise;
	}

	/**
	 * Returns a rejected promise. Unless it is awaited within this turn of the event loop, the error is reported to
	 * `log`.
	 */
	static rejected(error: unknown, log: CallLog): CallPromise<never> {
		const promise = new CallPromise<never>((_, reject) => reject(error));
		promise.#callee = promise.#reporter = log;
		void plainThen.call(promise, undefined, ignore);
		reportSoon(promise, error);
		return promise;
	}

	/** Returns a promise that settles like `inner`. A rejection is reported to `log` unless the promise is awaited. */
	static of<T>(inner: Promise<T>, log: CallLog): CallPromise<T> {
		const promise = new CallPromise<T>((resolve) => resolve(inner));
		promise.#callee = promise.#reporter = log;
		void plainThen.call(promise, undefined, (error: unknown) => reportSoon(promise, error));
		return promise;
	}

	/** Used by a caller that passes the promise on to its own caller: an ignored rejection is then reported to `log`. */
	static handOver<T>(promise: Promise<T>, log: CallLog): Promise<T> {
		if (promise instanceof CallPromise) promise.#reporter = log;
		return promise;
	}

	// oxlint-disable-next-line unicorn/no-thenable -- this is a promise, and `await` calls its `then`
	override then<TResult1 = T, TResult2 = never>(
		onfulfilled?: ((value: T) => TResult1 | PromiseLike<TResult1>) | null,
		onrejected?: ((reason: unknown) => TResult2 | PromiseLike<TResult2>) | null,
	): Promise<TResult1 | TResult2> {
		this.#isAwaited = true;
		return super.then(onfulfilled, onrejected);
	}

	/** Internal: reports the rejection, unless the promise was awaited. */
	static report(promise: CallPromise<unknown>, error: unknown): void {
		if (promise.#isAwaited) return;
		promise.#reporter?.ignored(error, promise.#callee?.isByLeaving(error) === true);
	}
}

const plainThen = Promise.prototype.then;

/** The rejections of this turn of the event loop. */
let rejections: { readonly promise: CallPromise<unknown>; readonly error: unknown }[] = [];

/** Reports a rejection at the end of this turn, because `await` takes a few microtasks to reach the promise. */
function reportSoon(promise: CallPromise<unknown>, error: unknown): void {
	if (rejections.length === 0) setImmediate(reportAll);
	rejections.push({ promise, error });
}

function reportAll(): void {
	const due = rejections;
	rejections = [];
	for (const { promise, error } of due) CallPromise.report(promise, error);
}

function ignore(): void {}
