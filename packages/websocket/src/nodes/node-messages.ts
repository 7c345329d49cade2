import type { Logger } from '../logger.ts';
import { Listeners } from '../support/listeners.ts';

/** Passes messages that were sent to this node on to its listeners. */
export class NodeMessages {
	readonly #listeners: Listeners<string>;

	constructor(logger: Logger) {
		this.#listeners = new Listeners((err) => logger.error('A node message listener failed', { err }));
	}

	/** Whether a listener was ever added. */
	hasListened = false;

	/** Adds a listener. Returns a function that removes it. */
	on(listener: (text: string) => void): () => void {
		this.hasListened = true;
		return this.#listeners.add(listener);
	}

	deliver(text: string): void {
		this.#listeners.call(text);
	}
}
