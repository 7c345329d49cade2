import type { Beat } from '../wire/frame.ts';
import { type ClockSettings, OwnClock } from './own-clock.ts';

/** A node without beats is forgotten after this long, in milliseconds. */
const FORGET_AFTER_MS = 600_000;

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
	readonly #own = new OwnClock();

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

	/** As {@link OwnClock.settingsSince}. */
	ownSettingsSince(time: number): ClockSettings {
		this.#followOwnClock();
		return this.#own.settingsSince(time);
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
		const step = this.#own.check();
		if (step !== 0) for (const clock of this.#clocks.values()) clock.skewMs += step;
	}

	#forgetOld(now: number): void {
		for (const [origin, { seenAt }] of this.#clocks) {
			if (now - seenAt > FORGET_AFTER_MS) this.#clocks.delete(origin);
		}
	}
}
