/** How fast a socket may send. */
export interface RateLimits {
	readonly messagesPerSecond: number;
	readonly bytesPerSecond: number;
}

/** `within` the rate, `over` it, or so long over it that it is a `flood`. */
export type RateVerdict = 'within' | 'over' | 'flood';

/**
 * How fast one socket sends: two token buckets, of messages and of bytes, that hold a second's worth each and may be overdrawn by
 * another one.
 *
 * @see https://en.wikipedia.org/wiki/Token_bucket
 */
export class Rate {
	#messages: number;
	#bytes: number;
	/** By the monotonic clock, in milliseconds. */
	#filledAt: number;

	constructor({ messagesPerSecond, bytesPerSecond }: RateLimits) {
		this.#messages = messagesPerSecond;
		this.#bytes = bytesPerSecond;
		this.#filledAt = performance.now();
	}

	/** Takes one message into account. */
	take(message: string | Bytes, limits: RateLimits): RateVerdict {
		const { messagesPerSecond, bytesPerSecond } = limits;
		if (messagesPerSecond === Infinity && bytesPerSecond === Infinity) return 'within';
		const now = performance.now();
		const seconds = (now - this.#filledAt) / 1000;
		this.#filledAt = now;
		this.#messages = refilled(this.#messages, seconds, messagesPerSecond) - 1;
		if (bytesPerSecond !== Infinity) {
			this.#bytes = refilled(this.#bytes, seconds, bytesPerSecond) - sizeOf(message);
		}
		if (this.#messages >= 0 && this.#bytes >= 0) return 'within';
		return this.#messages < -messagesPerSecond || this.#bytes < -bytesPerSecond ? 'flood' : 'over';
	}

	/** Takes one message out of account again. */
	giveBack({ messagesPerSecond }: RateLimits): void {
		this.#messages = Math.min(messagesPerSecond, this.#messages + 1);
	}
}

/** A binary message, of whichever kind the application has set `binaryType` to. */
type Bytes = { readonly byteLength: number } | { readonly size: number };

function sizeOf(message: string | Bytes): number {
	if (typeof message === 'string') return Buffer.byteLength(message);
	return 'byteLength' in message ? message.byteLength : message.size;
}

function refilled(tokens: number, seconds: number, perSecond: number): number {
	return perSecond === Infinity ? Infinity : Math.min(perSecond, tokens + seconds * perSecond);
}
