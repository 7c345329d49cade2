import { type FramePayload, wireBytes } from './frame-bytes.ts';
import type { Stalls } from './stalls.ts';

/** The rates at which a socket may send. */
export interface RateLimits {
	readonly messagesPerSecond: number;
	readonly bytesPerSecond: number;
}

/** Whether a message is `within` or `over` the rate; `flood` if it is over by more than another second's worth. */
export type RateOutcome = 'within' | 'over' | 'flood';

/**
 * The clock is read after each sixteenth of a second's worth of messages, but at least once every 64 messages.
 */
const CLOCK_READS_PER_SECOND = 16;
const MAX_MESSAGES_PER_CLOCK_READ = 64;

/**
 * Limits how fast one socket sends, with one token bucket for messages and one for bytes. Each holds a second's worth,
 * and can be overdrawn by another second's worth. Reading the clock costs more than everything else here, so it is not
 * read for each message. After a silence, a burst can therefore exceed a second's worth by the messages that arrive
 * before the clock is read.
 *
 * While the process hangs, what clients send waits in the kernel, and then arrives all at once. A burst may therefore
 * be larger after that, by as much as the client may send in the time of the stall.
 *
 * @see https://en.wikipedia.org/wiki/Token_bucket
 */
export class RateLimit {
	#messages: number;
	#bytes: number;
	/** The bytes of the last message. */
	#lastBytes = 0;
	/** What was charged beyond what the bucket held. It is paid before the bucket is refilled. */
	#debt = 0;
	/** When the buckets were last refilled, on the monotonic clock, in milliseconds. */
	#filledAt: number;
	/** The number of messages until the clock is read again. */
	#untilClockRead = 1;

	constructor({ messagesPerSecond, bytesPerSecond }: RateLimits) {
		this.#messages = messagesPerSecond;
		this.#bytes = bytesPerSecond;
		this.#filledAt = performance.now();
	}

	/** Counts one message, ping or pong. */
	take(payload: FramePayload, limits: RateLimits, stalls: Pick<Stalls, 'recentMs'>): RateOutcome {
		const { messagesPerSecond, bytesPerSecond } = limits;
		const bytes = bytesPerSecond === Infinity ? 0 : wireBytes(payload);
		this.#messages--;
		this.#bytes -= bytes;
		this.#lastBytes = bytes;
		if (--this.#untilClockRead > 0 && this.#messages >= 0 && this.#bytes >= 0) return 'within';
		this.#untilClockRead = Math.min(messagesPerSecond / CLOCK_READS_PER_SECOND, MAX_MESSAGES_PER_CLOCK_READ);
		const now = performance.now();
		const seconds = (now - this.#filledAt) / 1000;
		this.#filledAt = now;
		const paid = this.#debt === 0 ? 0 : Math.min(this.#debt, seconds * messagesPerSecond);
		this.#debt -= paid;
		const burstSeconds = 1 + stalls.recentMs(now) / 1000;
		// At most, a bucket is full except for the message that has just been taken.
		this.#messages = Math.min(
			burstSeconds * messagesPerSecond - 1,
			refilled(this.#messages, seconds, messagesPerSecond) - paid,
		);
		this.#bytes = Math.min(burstSeconds * bytesPerSecond - bytes, refilled(this.#bytes, seconds, bytesPerSecond));
		if (this.#messages >= 0 && this.#bytes >= 0) return 'within';
		return this.#messages < -messagesPerSecond || this.#bytes < -bytesPerSecond ? 'flood' : 'over';
	}

	/**
	 * Counts this many further messages. What exceeds the bucket does not overdraw it, because a single large request is
	 * not a flood. It delays the refilling instead.
	 */
	charge(messages: number): void {
		const taken = Math.min(messages, Math.max(0, this.#messages));
		this.#messages -= taken;
		this.#debt += messages - taken;
	}

	/** Undoes the last `take`: its message does not count. */
	refund({ messagesPerSecond, bytesPerSecond }: RateLimits): void {
		this.#messages = Math.max(this.#messages, Math.min(messagesPerSecond, this.#messages + 1));
		this.#bytes = Math.max(this.#bytes, Math.min(bytesPerSecond, this.#bytes + this.#lastBytes));
	}
}

/** Returns a bucket's tokens after refilling it for `seconds`, however much it holds. */
function refilled(tokens: number, seconds: number, perSecond: number): number {
	return perSecond === Infinity ? Infinity : tokens + seconds * perSecond;
}
