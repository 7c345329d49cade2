import type { Logger } from '../logger.ts';
import { FailureLog } from '../support/failure-log.ts';
import { Listeners } from '../support/listeners.ts';

/** Passes the messages that nodes send to this node on to its listeners. */
export class NodeMessages {
	readonly #listeners: Listeners<string>;

	constructor(logger: Logger) {
		const failures = new FailureLog(logger);
		this.#listeners = new Listeners((thrown) => failures.report(thrown, 'onNodeMessage'));
	}

	/** Adds a listener. Returns a function that removes it. */
	on(listener: (text: string) => unknown): () => void {
		return this.#listeners.add(listener);
	}

	deliver(text: string): void {
		this.#listeners.call(text);
	}
}
