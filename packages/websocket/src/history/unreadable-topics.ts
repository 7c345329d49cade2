export interface UnreadableTopicsOptions {
	/** Reads a topic's history; rejects while it can't be read. */
	readonly read: (topic: string) => Promise<unknown>;
	/** Called with true when the first topic becomes unreadable, and with false when the last one can be read again. */
	readonly onChange: (areThereAny: boolean) => void;
	/** Called once when a topic becomes unreadable, and not again until it has been read. */
	readonly onError: (error: Error) => void;
}

/** The first and the longest delay before a topic is read again, in milliseconds. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 15_000;
/** The maximum number of topics that are remembered. Any others are ignored. */
const MAX_TOPICS = 1_000;

/** Remembers the topics whose history could not be read, and reads them again, one at a time, until that succeeds. */
export class UnreadableTopics {
	readonly #options: UnreadableTopicsOptions;
	/** In the order in which they were last tried, the least recent one first. */
	readonly #topics = new Set<string>();
	#timer: ReturnType<typeof setTimeout> | undefined;
	#delayMs = FIRST_RETRY_MS;

	constructor(options: UnreadableTopicsOptions) {
		this.#options = options;
	}

	add(topic: string, error: Error): void {
		if (this.#topics.has(topic) || this.#topics.size >= MAX_TOPICS) return;
		this.#topics.add(topic);
		this.#options.onError(error);
		if (this.#topics.size > 1) return;
		this.#delayMs = FIRST_RETRY_MS;
		this.#retryLater();
		this.#options.onChange(true);
	}

	/** Called when a topic has been read. */
	delete(topic: string): void {
		if (!this.#topics.delete(topic) || this.#topics.size > 0) return;
		clearTimeout(this.#timer);
		this.#options.onChange(false);
	}

	close(): void {
		clearTimeout(this.#timer);
		this.#topics.clear();
	}

	#retryLater(): void {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => void this.#retry(), this.#delayMs);
		this.#timer.unref();
	}

	async #retry(): Promise<void> {
		for (const topic of this.#topics) {
			try {
				await this.#options.read(topic);
				this.delete(topic);
				this.#delayMs = FIRST_RETRY_MS;
			} catch {
				// The topic moves to the end of the order, unless another read of it has succeeded in the meantime.
				if (this.#topics.delete(topic)) this.#topics.add(topic);
				if (this.#topics.size === 0) return;
				this.#delayMs = Math.min(LONGEST_RETRY_MS, this.#delayMs * 2);
				return this.#retryLater();
			}
		}
	}
}
