/** After this number of failures in a row, there is one step at a time, with a pause before the next one. */
const PAUSE_AFTER = 8;
const PAUSE_MS = 50;
/** The most steps at a time after a failure. */
const FEW = 4;
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 5_000;

/**
 * Decides when steps that have failed are tried again, after a delay that doubles, and how many others are tried
 * meanwhile: only a part of the backend may be away.
 */
export class Retries {
	readonly #retry: () => void;
	readonly #resume: () => void;
	/** How many steps have failed in a row. */
	#failures = 0;
	/** How many tries have been in vain. */
	#tries = 0;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#pause: ReturnType<typeof setTimeout> | undefined;

	/**
	 * @param retry tries what has failed
	 * @param resume goes on with the rest
	 */
	constructor(retry: () => void, resume: () => void) {
		this.#retry = retry;
		this.#resume = resume;
	}

	/** Whether everything seems to fail. */
	get isHopeless(): boolean {
		return this.#failures >= PAUSE_AFTER;
	}

	/** Returns how many steps may be on their way at a time, `most` if all is well. */
	limit(most: number): number {
		if (this.#pause !== undefined) return 0;
		if (this.#failures === 0) return most;
		return this.isHopeless ? 1 : FEW;
	}

	succeeded(): void {
		this.#failures = 0;
		this.#tries = 0;
	}

	failed(): void {
		this.#failures++;
		this.#timer ??= setTimeout(() => this.#next(), delayOf(this.#tries++)).unref();
		if (this.isHopeless) this.#pause ??= setTimeout(() => this.#go(), PAUSE_MS).unref();
	}

	#next(): void {
		this.#timer = undefined;
		this.#retry();
	}

	#go(): void {
		this.#pause = undefined;
		this.#resume();
	}

	/** Called when everything may work again, or ends. */
	reset(): void {
		clearTimeout(this.#timer);
		clearTimeout(this.#pause);
		this.#timer = undefined;
		this.#pause = undefined;
		this.succeeded();
	}
}

/** Random, so that many nodes do not retry at the same time. */
function delayOf(tries: number): number {
	return Math.min(FIRST_DELAY_MS * 2 ** tries, LONGEST_DELAY_MS) * (0.5 + Math.random() / 2);
}
