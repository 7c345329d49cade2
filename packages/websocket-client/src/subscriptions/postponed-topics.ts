const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 30_000;

/** Topics that are not requested again until after a delay, which doubles each time until it is reset. */
export class PostponedTopics {
	readonly #onDue: () => void;
	readonly #topics = new Set<string>();
	#timer: ReturnType<typeof setTimeout> | undefined;
	#delays = 0;

	constructor(onDue: () => void) {
		this.#onDue = onDue;
	}

	has(topic: string): boolean {
		return this.#topics.has(topic);
	}

	/** Postpones a topic. If other topics are already postponed, it is due together with them. */
	add(topic: string): void {
		this.#topics.add(topic);
		if (this.#timer !== undefined) return;
		this.#timer = setTimeout(
			() => {
				this.clear();
				this.#onDue();
			},
			Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#delays++),
		);
	}

	/** Resets the next delay to the first one. */
	resetDelay(): void {
		this.#delays = 0;
	}

	clear(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#topics.clear();
	}
}
