import type { Logger } from '../logger.ts';

/** How often drops are logged at most, in milliseconds: a slow reader can drop thousands of messages a second. */
const LOG_EVERY_MS = 1_000;

/** Says in the log that Bun dropped messages: the first at once, what follows together. */
export class DropLog {
	readonly #logger: Logger;
	#dropped = 0;
	#what = '';
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(logger: Logger) {
		this.#logger = logger;
	}

	/** @param what what was dropped, for people: `a message to topic chat:1` */
	add(what: string): void {
		this.#dropped++;
		this.#what = what;
		if (this.#timer === undefined) this.#tell();
	}

	#tell(): void {
		this.#timer = undefined;
		if (this.#dropped === 0) return;
		this.#logger.warn(
			`Bun dropped ${this.#what}: a client reads too slowly, its buffer is over backpressureLimit. ` +
				'With closeOnBackpressureLimit Bun closes such a client instead',
			{ dropped: this.#dropped },
		);
		this.#dropped = 0;
		this.#timer = setTimeout(() => this.#tell(), LOG_EVERY_MS);
		this.#timer.unref();
	}
}
