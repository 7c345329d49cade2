/** Keeps calls in the order in which they were made, by key, while some of them wait for a value. */
export class CallOrder<TKey> {
	/** By key that calls wait for: settled once the last of them has gone on. Never rejects. */
	readonly #last = new Map<TKey, Promise<void>>();

	/**
	 * Calls `proceed` with the value once every earlier call with the key has gone on, or has failed: at once if none
	 * waits and the value is not a promise. Returns its result. Rejects, without calling it, if the value does.
	 */
	run<TValue, TResult>(
		key: TKey,
		value: TValue | Promise<TValue>,
		proceed: (value: TValue) => TResult | Promise<TResult>,
	): TResult | Promise<TResult> {
		const earlier = this.#last.get(key);
		if (earlier === undefined && !(value instanceof Promise)) return proceed(value);
		const result = (async () => {
			// Both, so that a value that fails early does not let later calls overtake earlier ones.
			const [ready] = await Promise.allSettled([value, earlier]);
			if (ready.status === 'rejected') throw ready.reason;
			// Not awaited here: the next call goes on as soon as this one has.
			return { result: proceed(ready.value) };
		})();
		const gone = result.then(ignore, ignore).then(() => {
			if (this.#last.get(key) === gone) this.#last.delete(key);
		});
		this.#last.set(key, gone);
		return (async (): Promise<TResult> => (await result).result)();
	}

	/** Whether a call with this key waits. */
	isWaiting(key: TKey): boolean {
		return this.#last.size > 0 && this.#last.has(key);
	}
}

function ignore(): void {}
