import type { Logger } from '../logger.ts';

/** Hands what other nodes tell this one to whoever listens. */
export class NodeMessages {
	readonly #logger: Logger;
	readonly #listeners = new Set<(text: string) => void>();

	constructor(logger: Logger) {
		this.#logger = logger;
	}

	/** Whether anyone ever listened. */
	isHeard = false;

	/** Returns the undo. */
	on(listener: (text: string) => void): () => void {
		this.isHeard = true;
		// One of its own, so that adding the same function twice and taking one away leaves one.
		const own = (text: string): void => listener(text);
		this.#listeners.add(own);
		return () => void this.#listeners.delete(own);
	}

	deliver(text: string): void {
		for (const listener of this.#listeners) {
			try {
				listener(text);
			} catch (err) {
				this.#logger.error('A listener for messages of other nodes failed', { err });
			}
		}
	}
}
