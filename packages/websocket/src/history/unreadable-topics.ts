export interface UnreadableTopicsOptions {
	/** Reads a topic's history; rejects while it can't be read. */
	readonly read: (topic: string) => Promise<unknown>;
	/** A topic can't be read, though all others could until now, or no such topic is left. */
	readonly onChange: (areThereAny: boolean) => void;
	/** Called once for each topic, until it can be read again. */
	readonly onError: (error: Error) => void;
}

/** The first delay before a topic is tried again, and the longest, in milliseconds. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 15_000;
/** More topics are not remembered. */
const MAX_TOPICS = 1_000;

/** The topics whose history could not be read lately. Tries them again, one at a time, until they can be read. */
export class UnreadableTopics {
	readonly #options: UnreadableTopicsOptions;
	/** The one that was tried longest ago comes first. */
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

	/** A topic was read. */
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
				// Unless another read has succeeded meanwhile, it is the one that was tried last.
				if (this.#topics.delete(topic)) this.#topics.add(topic);
				if (this.#topics.size === 0) return;
				this.#delayMs = Math.min(LONGEST_RETRY_MS, this.#delayMs * 2);
				return this.#retryLater();
			}
		}
	}
}
