/** The listeners of one event. The same function added twice is called twice. */
export class Listeners<TValue> {
	readonly #onError: (thrown: unknown, value: TValue) => void;
	readonly #all = new Set<{ readonly listener: (value: TValue) => void }>();

	/** @param onError called when a listener throws; the others are still called */
	constructor(onError: (thrown: unknown, value: TValue) => void) {
		this.#onError = onError;
	}

	/** Returns a function that removes the listener. */
	add(listener: (value: TValue) => void): () => void {
		const entry = { listener };
		this.#all.add(entry);
		return () => void this.#all.delete(entry);
	}

	/** Calls every listener, in the order they were added. */
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
