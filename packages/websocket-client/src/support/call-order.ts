import { quiet } from './promises.ts';

/** Keeps calls in the order in which they were made, while some of them wait for a value. */
export class CallOrder {
	/** Settled once the last waiting call has gone on; undefined if none waits. */
	#last: Promise<void> | undefined;

	/**
	 * Calls `proceed` once the value is there and every earlier call has gone on, or has failed: at once if none waits
	 * and the value is not a promise. Returns its result. Rejects, without calling it, if the value does.
	 */
	run<TResult>(value: unknown, proceed: () => TResult | Promise<TResult>): TResult | Promise<TResult> {
		const earlier = this.#last;
		if (earlier === undefined && !(value instanceof Promise)) return proceed();
		const gone = Promise.allSettled([value, earlier]).then(([checked]) => {
			if (checked.status === 'rejected') throw checked.reason;
			// Wrapped, as the next call does not wait for the result.
			return { result: proceed() };
		});
		const last = quiet(gone)
			.catch(() => {})
			.then(() => {
				if (this.#last === last) this.#last = undefined;
			});
		this.#last = last;
		return (async (): Promise<TResult> => (await gone).result)();
	}
}
