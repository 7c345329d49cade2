import type { Failures } from './failures.ts';
import { mustBeFunction } from './must-be-function.ts';

type Listener<TArgs extends readonly unknown[]> = (...args: TArgs) => unknown;

/** Those who want to hear of one thing. */
export class Listeners<TArgs extends readonly unknown[]> {
	readonly #failures: Failures;
	readonly #all = new Set<{ readonly fn: Listener<TArgs> }>();

	constructor(failures: Failures) {
		this.#failures = failures;
	}

	get size(): number {
		return this.#all.size;
	}

	/** Twice the same function is called twice. @throws {TypeError} it is no function */
	add(fn: Listener<TArgs>): () => void {
		mustBeFunction(fn, 'a listener');
		const entry = { fn };
		this.#all.add(entry);
		return () => void this.#all.delete(entry);
	}

	call(...args: TArgs): void {
		// Not those that are added meanwhile, and not those that are undone.
		const all = [...this.#all];
		for (const entry of all) if (this.#all.has(entry)) this.#failures.guard(entry.fn, ...args);
	}
}
