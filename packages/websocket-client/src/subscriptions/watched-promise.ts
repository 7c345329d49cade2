/** A promise that knows whether its caller waits for it. Its rejection is never reported as unhandled. */
export class WatchedPromise<T> extends Promise<T> {
	/** Whether `await`, `then`, `catch`, `finally`, or a function such as `Promise.all` has been used. */
	isAwaited: boolean = false;

	// Promises derived from this one are plain: the code that creates them must handle their rejections.
	static override get [Symbol.species](): PromiseConstructor {
		return Promise;
	}

	constructor(executor: (resolve: (value: T) => void, reject: (error: Error) => void) => void) {
		super(executor);
		super.then(undefined, () => {});
	}

	// oxlint-disable-next-line unicorn/no-thenable -- this is a promise, and `await` calls its `then`
	override then<TResult1 = T, TResult2 = never>(
		onfulfilled?: ((value: T) => TResult1 | PromiseLike<TResult1>) | null,
		onrejected?: ((reason: unknown) => TResult2 | PromiseLike<TResult2>) | null,
	): Promise<TResult1 | TResult2> {
		this.isAwaited = true;
		return super.then(onfulfilled, onrejected);
	}
}
