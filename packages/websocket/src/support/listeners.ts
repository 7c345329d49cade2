import { promiseOf } from './promise-of.ts';

/** Holds the listeners of one event. The same function added twice is called twice. */
export class Listeners<TValue> {
	readonly #onError: (thrown: unknown, value: TValue) => void;
	readonly #all = new Set<{ readonly listener: (value: TValue) => unknown }>();

	/** @param onError called when a listener throws or rejects; the other listeners are still called */
	constructor(onError: (thrown: unknown, value: TValue) => void) {
		this.#onError = onError;
	}

	/** Adds a listener. Returns a function that removes it. */
	add(listener: (value: TValue) => unknown): () => void {
		const entry = { listener };
		this.#all.add(entry);
		return () => void this.#all.delete(entry);
	}

	/** Calls all listeners, in the order in which they were added. Does not wait for asynchronous ones. */
	call(value: TValue): void {
		for (const { listener } of this.#all) {
			try {
				promiseOf(listener(value))?.catch((thrown: unknown) => this.#onError(thrown, value));
			} catch (thrown) {
				this.#onError(thrown, value);
			}
		}
	}
}
