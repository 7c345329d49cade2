import type { Logger } from '../logger.ts';

/** The most topics of which it is remembered that they were logged. */
const MOST_TOPICS = 1_000;

/** Logs once per topic that entries at the backend can't be read. */
export class SkippedEntries {
	readonly #logger: Logger;
	readonly #logged = new Set<string>();

	constructor(logger: Logger) {
		this.#logger = logger;
	}

	found(topic: string, count: number): void {
		if (this.#logged.has(topic) || this.#logged.size >= MOST_TOPICS) return;
		this.#logged.add(topic);
		this.#logger.warn(
			'Skipping entries among the members of a topic that cannot be read: another release has stored them, or something ' +
				'else. This is logged once for each topic',
			{ topic, skipped: count },
		);
	}
}
