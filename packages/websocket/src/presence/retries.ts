/** After so many failures in a row, everything waits for the next try. */
const PAUSE_AFTER = 8;
/** The most steps at a time after a failure. */
const FEW = 4;
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 5_000;

/**
 * Decides when steps that have failed are tried again, after a delay that doubles. A few failures do not keep others
 * back: only a part of the backend may be away.
 */
export class Retries {
	readonly #retry: () => void;
	/** How many steps have failed in a row. */
	#failures = 0;
	/** How many tries have been in vain. */
	#tries = 0;
	#isPaused = false;
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(retry: () => void) {
		this.#retry = retry;
	}

	/** Whether nothing is sent until the next try. */
	get isPaused(): boolean {
		return this.#isPaused;
	}

	/** Returns how many steps may be on their way at a time, `most` if all is well. */
	limit(most: number): number {
		if (this.#isPaused) return 0;
		return this.#failures === 0 ? most : FEW;
	}

	succeeded(): void {
		this.#failures = 0;
		this.#tries = 0;
		this.#isPaused = false;
	}

	failed(): void {
		this.#failures++;
		if (this.#failures >= PAUSE_AFTER) this.#isPaused = true;
		this.#timer ??= setTimeout(() => this.#next(), delayOf(this.#tries++)).unref();
	}

	#next(): void {
		this.#timer = undefined;
		this.#isPaused = false;
		this.#retry();
	}

	/** Called when everything may work again, or ends. */
	reset(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.succeeded();
	}
}

/** Random, so that many nodes do not retry at the same time. */
function delayOf(tries: number): number {
	return Math.min(FIRST_DELAY_MS * 2 ** tries, LONGEST_DELAY_MS) * (0.5 + Math.random() / 2);
}
