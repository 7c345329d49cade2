import { mustBeFunction } from './must-be-function.ts';

type Listener<TArgs extends readonly unknown[]> = (...args: TArgs) => unknown;

interface Entry<TArgs extends readonly unknown[]> {
	readonly listener: Listener<TArgs>;
}

/**
 * The listeners of one event. A function that is added twice is called twice. All listeners are called in the same
 * order, even if a listener causes the next call.
 */
export class Listeners<TArgs extends readonly unknown[]> {
	readonly #onError: (thrown: unknown) => void;
	readonly #all = new Set<Entry<TArgs>>();
	/** The calls that are not finished yet, each with those who were listening when it was made. */
	readonly #pending: [Entry<TArgs>[], TArgs][] = [];

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
	 * not called. If a listener causes this call, it returns at once, and they are called after the present ones.
	 */
	call(...args: TArgs): void {
		const pending = this.#pending;
		if (pending.push([[...this.#all], args]) > 1) return;
		for (let next; (next = pending[0]); pending.shift()) {
			for (const entry of next[0]) {
				if (this.#all.has(entry)) attempt(() => entry.listener(...next[1]), this.#onError);
			}
		}
	}
}

/** Calls a function of the application. @param onError called with what it throws or rejects with */
export function attempt(call: () => unknown, onError: (thrown: unknown) => void): void {
	try {
		const result = call();
		if (result instanceof Promise) result.catch(onError);
	} catch (thrown) {
		onError(thrown);
	}
}
