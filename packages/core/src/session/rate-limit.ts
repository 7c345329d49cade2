/** How fast a socket may send. */
export interface RateLimits {
	readonly messagesPerSecond: number;
	readonly bytesPerSecond: number;
}

/** `within` the rate, `over` it, or so long over it that it is a `flood`. */
export type RateVerdict = 'within' | 'over' | 'flood';

/** The clock is asked for every so many-th of a second's messages, and at least for every so many. */
const EXACTNESS = 16;
const MOST_UNCLOCKED = 64;

/**
 * How fast one socket sends: two token buckets, of messages and of bytes, that hold a second's worth each and may be overdrawn by
 * another one. To ask the clock takes longer than all the rest, so it is not asked for each message; after a silence,
 * a little more than a second's worth may therefore come at once: those that come before it is asked.
 *
 * @see https://en.wikipedia.org/wiki/Token_bucket
 */
export class Rate {
	#messages: number;
	#bytes: number;
	/** By the monotonic clock, in milliseconds. */
	#filledAt: number;
	/** Messages until the clock is asked. */
	#unclocked = 1;

	constructor({ messagesPerSecond, bytesPerSecond }: RateLimits) {
		this.#messages = messagesPerSecond;
		this.#bytes = bytesPerSecond;
		this.#filledAt = performance.now();
	}

	/** Takes one message into account. */
	take(message: string | Bytes, limits: RateLimits): RateVerdict {
		const { messagesPerSecond, bytesPerSecond } = limits;
		const bytes = bytesPerSecond === Infinity ? 0 : sizeOf(message);
		this.#messages--;
		this.#bytes -= bytes;
		if (--this.#unclocked > 0 && this.#messages >= 0 && this.#bytes >= 0) return 'within';
		this.#unclocked = Math.min(messagesPerSecond / EXACTNESS, MOST_UNCLOCKED);
		const now = performance.now();
		const seconds = (now - this.#filledAt) / 1000;
		this.#filledAt = now;
		this.#messages = refilled(this.#messages, seconds, messagesPerSecond, 1);
		this.#bytes = refilled(this.#bytes, seconds, bytesPerSecond, bytes);
		if (this.#messages >= 0 && this.#bytes >= 0) return 'within';
		return this.#messages < -messagesPerSecond || this.#bytes < -bytesPerSecond ? 'flood' : 'over';
	}

	/** Takes so many more messages into account, as far as there is room: what came as one message is no flood. */
	charge(messages: number): void {
		this.#messages = Math.max(Math.min(this.#messages, 0), this.#messages - messages);
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

/** What a bucket holds after a time, of which so much was just taken. */
function refilled(tokens: number, seconds: number, perSecond: number, taken: number): number {
	return perSecond === Infinity ? Infinity : Math.min(perSecond - taken, tokens + seconds * perSecond);
}
