/** A topic that sockets of this node are subscribed to. */
export interface Renewable {
	/** Rejects if the topic can't be read; its reads are then retried in the background. */
	renew(): Promise<void>;
}

const TICK_MS = 1_000;
/** The time between two renewals of a topic, in milliseconds. */
export const RENEWAL_MS: number = 60 * 60_000;

/**
 * Renews each topic once an hour. The renewals are spread over the hour, so that many topics do not cause a burst of
 * reads.
 */
export class Renewal {
	readonly #topics: ReadonlyMap<string, Renewable>;
	/** Where the next tick continues. */
	#round: MapIterator<Renewable> | undefined;
	/** The number of topics that are due, as a fraction: with few topics, less than one becomes due per tick. */
	#due = 0;
	#timer: ReturnType<typeof setInterval> | undefined;

	/** @param topics may change at any time */
	constructor(topics: ReadonlyMap<string, Renewable>) {
		this.#topics = topics;
	}

	/** Idempotent. */
	start(): void {
		this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
	}

	stop(): void {
		clearInterval(this.#timer);
		this.#timer = undefined;
		this.#round = undefined;
		this.#due = 0;
	}

	#tick(): void {
		for (this.#due += (this.#topics.size * TICK_MS) / RENEWAL_MS; this.#due >= 1; this.#due--) {
			let next = (this.#round ??= this.#topics.values()).next();
			if (next.done === true) next = (this.#round = this.#topics.values()).next();
			if (next.done === true) return;
			next.value.renew().catch(() => {});
		}
	}
}
