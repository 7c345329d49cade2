import type { Beat } from '../wire/frame.ts';
import { type ClockSettings, OwnClock } from './own-clock.ts';

/** A node that sends no beats is forgotten after this time, in milliseconds. */
const FORGET_AFTER_MS = 600_000;

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

	/** Returns the least and the greatest skew of all nodes in milliseconds, including 0 for this node itself. */
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

	/** If this node's own clock was set, shifts all skews by the same amount. */
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
