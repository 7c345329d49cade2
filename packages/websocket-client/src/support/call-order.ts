/** Keeps calls in the order in which they were made, even if some of them have to wait for a value. */
export class CallOrder {
	/** Settled once the last waiting call has proceeded; undefined if no call is waiting. */
	#last: Promise<void> | undefined;

	/**
	 * Calls `proceed` once the value is available and every earlier call has proceeded or failed; immediately if no call
	 * is waiting and the value is not a promise. Returns the result of `proceed`. If the value rejects, this rejects
	 * without calling `proceed`.
	 */
	run<TResult>(value: unknown, proceed: () => TResult | Promise<TResult>): TResult | Promise<TResult> {
		const earlier = this.#last;
		if (!earlier && !(value instanceof Promise)) return proceed();
		const gone = Promise.allSettled([value, earlier]).then(async () => {
			await value;
			// Wrapped in an object, because the next call must not wait for the result.
			return { result: proceed() };
		});
		const last = gone
			.catch(() => {})
			.then(() => {
				if (this.#last === last) this.#last = undefined;
			});
		this.#last = last;
		return gone.then(({ result }) => result);
	}
}
