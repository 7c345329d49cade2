import type { Beat } from '../wire/frame.ts';
import { type ClockSettings, OwnClock } from './own-clock.ts';

/** A node that sends no beats is forgotten after this time, in milliseconds. */
const FORGET_AFTER_MS = 600_000;
/** If a skew falls by more than this, a clock was set; beats differ less in their delays. In milliseconds. */
const SMALLEST_STEP_MS = 250;
/** How long a skew that no longer holds still counts, in milliseconds: gaps reach back to when it did. */
const FORMER_MS = 60_000;

interface Clock {
	/**
	 * The smallest difference between the arrival of a beat, by this node's clock, and its sending, by the other node's.
	 * It is the skew plus the delay of that beat.
	 */
	skewMs: number;
	/** When the last beat was sent, by the other node's clock. Indexed by shard. */
	readonly sentAt: number[];
	/** When the last beat arrived, by the monotonic clock. */
	seenAt: number;
}

/**
 * Estimates how far this node's clock is ahead of the clock of each other node, from the times in their beats. The skew
 * is negative if this node's clock is behind. An estimate is too large by the smallest delay of a beat so far, and
 * never too small.
 */
export class ClockSkews {
	readonly #clocks = new Map<number, Clock>();
	readonly #own = new OwnClock();
	/** Skews that no longer hold, because a clock was set; oldest first. `until` is by the monotonic clock. */
	readonly #former: { skewMs: number; readonly until: number }[] = [];

	/** Updates the skew of a node whose beat has just arrived. The beat's `sentAt` is by the clock of that node. */
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
		// Beats of a shard arrive in order. So if `sentAt` went back, that clock was set, and its earlier skew no longer
		// holds.
		const isSetBack = sentAt < (clock.sentAt[shard] ?? -Infinity);
		if (isSetBack || skewMs < clock.skewMs - SMALLEST_STEP_MS) this.#former.push({ skewMs: clock.skewMs, until: now });
		clock.skewMs = isSetBack ? skewMs : Math.min(clock.skewMs, skewMs);
		clock.sentAt[shard] = sentAt;
		clock.seenAt = now;
	}

	/** See {@link OwnClock.settingsSince}. */
	ownSettingsSince(time: number): ClockSettings {
		this.#followOwnClock();
		return this.#own.settingsSince(time);
	}

	/** Returns the skew of a node in milliseconds; undefined before its first beat. */
	of(origin: number): number | undefined {
		this.#followOwnClock();
		return this.#clocks.get(origin)?.skewMs;
	}

	/**
	 * Returns the least and the greatest skew of all nodes in milliseconds, including 0 for this node itself. If a clock
	 * was set within the last minute, that includes its skew before.
	 */
	range(): { readonly least: number; readonly most: number } {
		this.#followOwnClock();
		const now = performance.now();
		while (this.#former[0] !== undefined && now - this.#former[0].until > FORMER_MS) this.#former.shift();
		let least = 0;
		let most = 0;
		for (const { skewMs } of this.#clocks.values()) {
			least = Math.min(least, skewMs);
			most = Math.max(most, skewMs);
		}
		for (const { skewMs } of this.#former) {
			least = Math.min(least, skewMs);
			most = Math.max(most, skewMs);
		}
		return { least, most };
	}

	/** If this node's own clock was set, shifts all skews by the same amount. */
	#followOwnClock(): void {
		const step = this.#own.check();
		if (step === 0) return;
		for (const clock of this.#clocks.values()) clock.skewMs += step;
		for (const former of this.#former) former.skewMs += step;
		// What this node published before was stamped by its clock of then.
		this.#former.push({ skewMs: step, until: performance.now() });
	}

	#forgetOld(now: number): void {
		for (const [origin, { seenAt }] of this.#clocks) {
			if (now - seenAt > FORGET_AFTER_MS) this.#clocks.delete(origin);
		}
	}
}
