import { mustBeFunction } from './must-be-function.ts';

type Listener<TArgs extends readonly unknown[]> = (...args: TArgs) => unknown;

/** The listeners of one event. A function that is added twice is called twice. */
export class Listeners<TArgs extends readonly unknown[]> {
	readonly #onError: (thrown: unknown) => void;
	readonly #all = new Set<{ readonly listener: Listener<TArgs> }>();

	/** @param onError called when a listener threw or rejected; the other listeners are called nevertheless */
	constructor(onError: (thrown: unknown) => void) {
		this.#onError = onError;
	}

	get size(): number {
		return this.#all.size;
	}

	/** Adds a listener. Returns a function that removes it. @throws {TypeError} `listener` is not a function */
	add(listener: Listener<TArgs>): () => void {
		mustBeFunction(listener, 'a listener');
		const entry = { listener };
		this.#all.add(entry);
		return () => void this.#all.delete(entry);
	}

	/**
	 * Calls the listeners in the order in which they were added. Listeners that are added or removed during the call are
	 * not called.
	 */
	call(...args: TArgs): void {
		const all = [...this.#all];
		for (const entry of all) {
			if (!this.#all.has(entry)) continue;
			const { listener } = entry;
			try {
				const result = listener(...args);
				if (result instanceof Promise) result.catch(this.#onError);
			} catch (thrown) {
				this.#onError(thrown);
			}
		}
	}
}
