import { type Beginning, randomEpoch } from './history-store.ts';
import { provisionalEpoch } from './provisional-epoch.ts';

/** Counts the topics of a {@link MemoryHistory} that have begun. */
export class BegunTopics {
	readonly #store = randomEpoch();
	#last = 0;
	#forgotten = 0;

	/** Assigns a number to a topic that begins. */
	begin(): number {
		return ++this.#last;
	}

	/** Called when the topic with this number has been forgotten. */
	forget(number: number): void {
		this.#forgotten = Math.max(this.#forgotten, number);
	}

	/** What a topic would continue if it began now. */
	get beginning(): Beginning {
		return { store: this.#store, after: this.#forgotten };
	}

	/** The epoch of a topic that has not begun. */
	get epoch(): string {
		return provisionalEpoch(this.#store, this.#last);
	}
}
