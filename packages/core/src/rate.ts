/** How fast a socket may send. */
export interface RateLimits {
	readonly messagesPerSecond: number;
	readonly bytesPerSecond: number;
}

/** `within` the rate, `over` it, or so long over it that it is a `flood`. */
export type RateVerdict = 'within' | 'over' | 'flood';

/**
 * How fast one socket sends: two token buckets, of messages and of bytes, that hold a second's worth each and may be overdrawn by
 * another one. The clock is asked only once a bucket is empty.
 *
 * @see https://en.wikipedia.org/wiki/Token_bucket
 */
export class Rate {
	#messages: number;
	#bytes: number;
	#filledAt: number;

	constructor({ messagesPerSecond, bytesPerSecond }: RateLimits) {
		this.#messages = messagesPerSecond;
		this.#bytes = bytesPerSecond;
		this.#filledAt = performance.now();
	}

	/** Takes one message of so many bytes into account. */
	take(bytes: number, limits: RateLimits): RateVerdict {
		this.#messages--;
		this.#bytes -= bytes;
		if (this.#messages >= 0 && this.#bytes >= 0) return 'within';
		const { messagesPerSecond, bytesPerSecond } = limits;
		const now = performance.now();
		const seconds = (now - this.#filledAt) / 1000;
		this.#filledAt = now;
		this.#messages = Math.min(messagesPerSecond - 1, this.#messages + seconds * messagesPerSecond);
		this.#bytes = Math.min(bytesPerSecond - bytes, this.#bytes + seconds * bytesPerSecond);
		if (this.#messages >= 0 && this.#bytes >= 0) return 'within';
		return this.#messages < -messagesPerSecond || this.#bytes < -bytesPerSecond ? 'flood' : 'over';
	}
}
