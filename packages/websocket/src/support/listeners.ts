/** The listeners of one event. The same function added twice is called twice. */
export class Listeners<TValue> {
	readonly #onError: (thrown: unknown, value: TValue) => void;
	readonly #all = new Set<{ readonly listener: (value: TValue) => void }>();

	/** @param onError called when a listener throws; the others are still called */
	constructor(onError: (thrown: unknown, value: TValue) => void) {
		this.#onError = onError;
	}

	/** Adds a listener. Returns a function that removes it. */
	add(listener: (value: TValue) => void): () => void {
		const entry = { listener };
		this.#all.add(entry);
		return () => void this.#all.delete(entry);
	}

	/** Calls all listeners, in the order in which they were added. */
	call(value: TValue): void {
		for (const { listener } of this.#all) {
			try {
				listener(value);
			} catch (thrown) {
				this.#onError(thrown, value);
			}
		}
	}
}
