import type { Beat } from '../wire/frame.ts';
import type { Skews } from '../wire/skews.ts';
import { type ClockSettings, OwnClock } from './own-clock.ts';

/** A node that sends no beats is forgotten after this time, in milliseconds. */
const FORGET_AFTER_MS = 600_000;
const FORGET_EVERY_MS = 60_000;
/** If a skew falls by more than this, a clock was set; beats differ less in their delays. In milliseconds. */
const SMALLEST_STEP_MS = 250;
/**
 * How much the first skews of a clock may be too large, in milliseconds: a beat that arrives when a node goes on after
 * it was frozen, or over a connection that has just been made again, may be as late. That matters for a clock that is
 * far ahead.
 */
const FIRST_DELAY_MS = 10_000;
/** For how long after it was first seen, or set, the skew of a clock counts as a first one, in milliseconds. */
const FIRST_MS = 5_000;
/** A clock that is ahead by more than this is far ahead, in milliseconds: further than synchronized clocks are. */
const FAR_MS = 1_000;
/** How long a skew that no longer holds still counts, in milliseconds: gaps reach back to when it did. */
const FORMER_MS = 60_000;

/** A time of another node's clock. */
type Observation = Pick<Beat, 'origin' | 'shard' | 'sentAt'> & { readonly skews?: Skews };

const NO_SKEWS: Skews = { least: 0, most: 0 };

/** For how long a range holds without news, in milliseconds: it gets smaller as clocks are known for longer. */
const KEPT_MS = 100;

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
	/** When a beat first arrived by which the clock is set as it is now, by the monotonic clock. */
	firstAt: number;
	/** Whether `skewMs` comes from an old beat in a digest. */
	isDoubtful: boolean;
	/** What that node knows of other clocks; relative to its own. */
	others: Skews;
}

/**
 * A skew from a digest whose age exceeds this, in milliseconds, is doubtful: if the server's clock was set since the
 * beat, the age is wrong. It counts only until a better one is known.
 */
const DOUBTFUL_AGE_MS = 1_000;

/**
 * Estimates how far this node's clock is ahead of the clock of each other node, from the times in their beats. The skew
 * is negative if this node's clock is behind. An estimate is too large by the smallest delay of a beat so far, and
 * never too small.
 */
export class ClockSkews {
	readonly #clocks = new Map<number, Clock>();
	readonly #own = new OwnClock();
	/** When it was last noticed that this node's own clock was set, by the monotonic clock. */
	ownSetAt: number = -Infinity;
	/** The last results of {@link observed} and {@link range}; undefined if there are news since. */
	#observed: Skews | undefined;
	#range: Skews | undefined;
	#observedAt = 0;
	/** When this node's own clock was last read, by the monotonic clock, and what it said then. */
	#followedAt = -Infinity;
	#time = 0;
	/** When it was last looked for nodes to be forgotten, by the monotonic clock. */
	#forgotAt = -Infinity;
	/** Skews that no longer hold, because a clock was set; oldest first. `until` is by the monotonic clock. */
	readonly #former: { skewMs: number; readonly until: number }[] = [];

	/**
	 * Updates the skew of a node whose beat has just arrived, or of which a digest tells. The beat's `sentAt` is by the
	 * clock of that node.
	 *
	 * @param skews what that node knows of other clocks; undefined if it did not say
	 * @param ageMs how long ago the beat was accepted, in milliseconds, or less
	 * @param now by the monotonic clock. Calls for one digest pass the same, so that the clocks are read once
	 */
	observe({ origin, shard, sentAt, skews }: Observation, ageMs = 0, now: number = performance.now()): void {
		if (now !== this.#followedAt) this.#followOwnClock(now);
		const skewMs = this.#time - ageMs - sentAt;
		this.#observed = undefined;
		const isDoubtful = ageMs > DOUBTFUL_AGE_MS;
		const clock = this.#clocks.get(origin);
		if (clock === undefined) {
			this.#forgetOld(now);
			const times: number[] = [];
			times[shard] = sentAt;
			const others = skews ?? NO_SKEWS;
			this.#clocks.set(origin, { skewMs, isDoubtful, sentAt: times, seenAt: now, firstAt: now, others });
			return;
		}
		clock.seenAt = now;
		if (isDoubtful) return;
		// Beats of a shard arrive in order. So if `sentAt` went back, that clock was set, and its earlier skew no longer
		// holds.
		const isSetBack = clock.isDoubtful || sentAt < (clock.sentAt[shard] ?? -Infinity);
		if (isSetBack || skewMs < clock.skewMs - SMALLEST_STEP_MS) {
			this.#former.push({ skewMs: clock.skewMs, until: now });
			clock.firstAt = now;
		}
		clock.skewMs = isSetBack ? skewMs : Math.min(clock.skewMs, skewMs);
		clock.isDoubtful = false;
		clock.sentAt[shard] = sentAt;
		if (skews !== undefined) clock.others = skews;
	}

	/** Called when a node has said what it knows of other clocks, without a time of its own. */
	told(origin: number, skews: Skews): void {
		const clock = this.#clocks.get(origin);
		if (clock !== undefined) clock.others = skews;
		this.#observed = undefined;
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
	 * Returns the least and the greatest skew of all nodes, including those that only other nodes know of. If a clock
	 * was set within the last minute, that includes its skew before.
	 */
	range(): Skews {
		const observed = this.observed();
		if (this.#range !== undefined) return this.#range;
		let { least, most } = observed;
		for (const { skewMs, others } of this.#clocks.values()) {
			least = Math.min(least, skewMs + others.least);
			most = Math.max(most, skewMs + others.most);
		}
		this.#range = { least, most };
		return this.#range;
	}

	/** Like {@link range}, but only of the nodes whose beats have arrived here. */
	observed(): Skews {
		this.#followOwnClock();
		const now = performance.now();
		if (this.#observed !== undefined && now - this.#observedAt <= KEPT_MS) return this.#observed;
		while (this.#former[0] !== undefined && now - this.#former[0].until > FORMER_MS) this.#former.shift();
		let least = 0;
		let most = 0;
		for (const { skewMs, firstAt } of this.#clocks.values()) {
			const mayBeLess = skewMs < -FAR_MS && now - firstAt <= FIRST_MS;
			least = Math.min(least, mayBeLess ? skewMs - FIRST_DELAY_MS : skewMs);
			most = Math.max(most, skewMs);
		}
		for (const { skewMs } of this.#former) {
			least = Math.min(least, skewMs);
			most = Math.max(most, skewMs);
		}
		this.#observed = { least, most };
		this.#observedAt = now;
		this.#range = undefined;
		return this.#observed;
	}

	/** If this node's own clock was set, shifts all skews by the same amount. */
	#followOwnClock(now = performance.now()): void {
		this.#followedAt = now;
		this.#time = Date.now();
		const step = this.#own.check();
		if (step === 0) return;
		this.ownSetAt = performance.now();
		this.#observed = undefined;
		for (const clock of this.#clocks.values()) clock.skewMs += step;
		for (const former of this.#former) former.skewMs += step;
		// What this node published before was stamped by its clock of then.
		this.#former.push({ skewMs: step, until: performance.now() });
	}

	#forgetOld(now: number): void {
		if (now - this.#forgotAt < FORGET_EVERY_MS) return;
		this.#forgotAt = now;
		for (const [origin, { seenAt }] of this.#clocks) {
			if (now - seenAt > FORGET_AFTER_MS) this.#clocks.delete(origin);
		}
	}
}
