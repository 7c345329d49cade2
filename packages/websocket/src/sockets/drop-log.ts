import type { Logger } from '../logger.ts';

/** The shortest time between two log lines, in milliseconds: a slow reader can drop thousands of messages a second. */
const LOG_EVERY_MS = 1_000;

/** Logs messages that Bun dropped: the first one at once, later ones together, at most once a second. */
export class DropLog {
	readonly #logger: Logger;
	#dropped = 0;
	#what = '';
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(logger: Logger) {
		this.#logger = logger;
	}

	/** @param what the dropped message, in words: `a message to topic chat:1` */
	add(what: string): void {
		this.#dropped++;
		this.#what = what;
		if (this.#timer === undefined) this.#log();
	}

	#log(): void {
		this.#timer = undefined;
		if (this.#dropped === 0) return;
		this.#logger.warn(
			`Bun dropped ${this.#what}: a client reads too slowly and its buffer is over backpressureLimit. ` +
				'Set closeOnBackpressureLimit to have Bun close such a client instead',
			{ dropped: this.#dropped },
		);
		this.#dropped = 0;
		this.#timer = setTimeout(() => this.#log(), LOG_EVERY_MS);
		this.#timer.unref();
	}
}
