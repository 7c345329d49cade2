import type { Beat } from '../wire/frame.ts';

/** A node without beats is forgotten after this long, in milliseconds. */
const FORGET_AFTER_MS = 600_000;
/** Clocks are disciplined by less than this at once; a larger step means that a clock was set, in milliseconds. */
const SMALLEST_STEP_MS = 50;

interface Clock {
	/**
	 * The smallest difference between when a beat arrived and when it was sent: the skew, and the delay of that beat.
	 */
	skewMs: number;
	/** When the last beat of each shard was sent, by that clock. */
	readonly sentAt: number[];
	/** When it arrived, by the monotonic clock. */
	seenAt: number;
}

/**
 * By how much this node's clock is ahead of those of other nodes, from the times in their beats. Each skew is too large
 * by the smallest delay that was seen, and never too small.
 */
export class ClockSkews {
	readonly #clocks = new Map<number, Clock>();
	#ownOffset = ownOffset();

	/** A beat of another node arrived now. Its time of sending is by the clock of that node. */
	observe({ origin, shard, sentAt }: Beat): void {
		this.#followOwnClock();
		const now = performance.now();
		const skewMs = Date.now() - sentAt;
		const clock = this.#clocks.get(origin);
		if (clock === undefined) {
			this.#forgetOld(now);
			const times: number[] = [];
			times[shard] = sentAt;
			this.#clocks.set(origin, { skewMs, sentAt: times, seenAt: now });
			return;
		}
		// Beats of a shard arrive in order: a clock that went back was set, and what was known of it no longer holds.
		const isSetBack = sentAt < (clock.sentAt[shard] ?? -Infinity);
		clock.skewMs = isSetBack ? skewMs : Math.min(clock.skewMs, skewMs);
		clock.sentAt[shard] = sentAt;
		clock.seenAt = now;
	}

	/** Returns the skew of a node in milliseconds; undefined before its first beat. */
	of(origin: number): number | undefined {
		this.#followOwnClock();
		return this.#clocks.get(origin)?.skewMs;
	}

	/** Returns the least and the greatest skew of all nodes in milliseconds, this one's own 0 included. */
	range(): { readonly least: number; readonly most: number } {
		this.#followOwnClock();
		let least = 0;
		let most = 0;
		for (const { skewMs } of this.#clocks.values()) {
			least = Math.min(least, skewMs);
			most = Math.max(most, skewMs);
		}
		return { least, most };
	}

	/** When this node's own clock is set, it moves against all others by as much. */
	#followOwnClock(): void {
		const step = ownOffset() - this.#ownOffset;
		if (Math.abs(step) < SMALLEST_STEP_MS) return;
		this.#ownOffset += step;
		for (const clock of this.#clocks.values()) clock.skewMs += step;
	}

	#forgetOld(now: number): void {
		for (const [origin, { seenAt }] of this.#clocks) {
			if (now - seenAt > FORGET_AFTER_MS) this.#clocks.delete(origin);
		}
	}
}

/** Constant until the clock is set. */
function ownOffset(): number {
	return Date.now() - performance.now();
}
