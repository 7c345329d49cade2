/** Keeps calls with the same key in the order in which they were made, although some of them must wait for a value. */
export class CallOrder<TKey> {
	/** By key, while calls are waiting: resolves once the last of them has proceeded. Never rejects. */
	readonly #last = new Map<TKey, Promise<void>>();

	/**
	 * Calls `proceed` with the value once every earlier call with the same key has proceeded or failed; at once if no
	 * call is waiting and the value is not a promise. Returns the result of `proceed`. If the value rejects, rejects
	 * without calling `proceed`.
	 */
	run<TValue, TResult>(
		key: TKey,
		value: TValue | Promise<TValue>,
		proceed: (value: TValue) => TResult | Promise<TResult>,
	): TResult | Promise<TResult> {
		const earlier = this.#last.get(key);
		if (earlier === undefined && !(value instanceof Promise)) return proceed(value);
		const result = (async () => {
			// Waits for both, so that later calls do not overtake earlier ones if the value rejects early.
			const [ready] = await Promise.allSettled([value, earlier]);
			if (ready.status === 'rejected') throw ready.reason;
			// The result is not awaited here: the next call proceeds as soon as this one has.
			return { result: proceed(ready.value) };
		})();
		const gone = result.then(ignore, ignore).then(() => {
			if (this.#last.get(key) === gone) this.#last.delete(key);
		});
		this.#last.set(key, gone);
		return (async (): Promise<TResult> => (await result).result)();
	}

	/** Whether a call with this key is waiting. */
	isWaiting(key: TKey): boolean {
		return this.#last.size > 0 && this.#last.has(key);
	}
}

function ignore(): void {}
