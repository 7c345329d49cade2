/** Decides about the rejections of calls that no one awaits, and reports them. */
export interface CallLog {
	/** Whether a call failed only because its socket has left, which is no fault. */
	isByLeaving(error: unknown): boolean;
	/** Called with the error of a call whose promise no one has awaited. */
	ignored(error: unknown, isByLeaving: boolean): void;
}

/**
 * The promise of a call that can fail. A rejection is the business of the one that awaits the promise, by `await`,
 * `then`, `catch` or `Promise.all`; if no one does, it is reported. It never counts as an unhandled rejection.
 */
export class CallPromise<T> extends Promise<T> {
	#isAwaited = false;
	/** Who received the call. */
	#callee: CallLog | undefined;
	/** Who reports an ignored rejection. */
	#reporter: CallLog | undefined;

	// Promises derived from this one are plain: the rejections of those are their creator's business.
	static override get [Symbol.species](): PromiseConstructor {
		return Promise;
	}

	/** Returns a rejected promise. If no one awaits it within this turn of the event loop, that is reported to `log`. */
	static rejected(error: unknown, log: CallLog): CallPromise<never> {
		const promise = new CallPromise<never>((_, reject) => reject(error));
		promise.#callee = promise.#reporter = log;
		void plainThen.call(promise, undefined, ignore);
		reportSoon(promise, error);
		return promise;
	}

	/** Returns a promise that settles like `inner`. A rejection that no one has awaited is reported to `log`. */
	static of<T>(inner: Promise<T>, log: CallLog): CallPromise<T> {
		const promise = new CallPromise<T>((resolve) => resolve(inner));
		promise.#callee = promise.#reporter = log;
		void plainThen.call(promise, undefined, (error: unknown) => reportSoon(promise, error));
		return promise;
	}

	/** For a caller that returns the promise to its own caller: an ignored rejection is then reported to `log`. */
	static handOver<T>(promise: Promise<T>, log: CallLog): Promise<T> {
		if (promise instanceof CallPromise) promise.#reporter = log;
		return promise;
	}

	// oxlint-disable-next-line unicorn/no-thenable -- it is a promise, which `await` calls this way
	override then<TResult1 = T, TResult2 = never>(
		onfulfilled?: ((value: T) => TResult1 | PromiseLike<TResult1>) | null,
		onrejected?: ((reason: unknown) => TResult2 | PromiseLike<TResult2>) | null,
	): Promise<TResult1 | TResult2> {
		this.#isAwaited = true;
		return super.then(onfulfilled, onrejected);
	}

	/** Internal: reports the rejection, unless somebody has awaited the promise. */
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
