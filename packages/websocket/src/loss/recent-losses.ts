import { Remembered } from '../support/remembered.ts';

/** How long a loss is remembered, in milliseconds: longer than it takes until beats of all other nodes arrive. */
const REMEMBER_MS = 15_000;

/** Remembers which topics with history have lost messages lately. */
export class RecentLosses {
	readonly #lost = new Remembered<true>(REMEMBER_MS);

	add(topic: string): void {
		this.#lost.set(topic, true);
	}

	has(topic: string): boolean {
		return this.#lost.get(topic) !== undefined;
	}
}
