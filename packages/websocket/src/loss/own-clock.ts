/**
 * A step of this node's clock by at least this much, in milliseconds, means that the clock was set. Time
 * synchronisation makes smaller corrections.
 */
const SMALLEST_STEP_MS = 50;
/** How long a former setting is remembered, in milliseconds. */
const REMEMBER_MS = 600_000;

/**
 * The range of settings of this node's clock. A setting is the difference between the clock and the monotonic clock, in
 * milliseconds.
 */
export interface ClockSettings {
	readonly least: number;
	readonly most: number;
}

/** Records the settings of this node's clock. Messages carry the time of this clock when they were published. */
export class OwnClock {
	/** The former settings, oldest first. Each is recorded with the time at which the next one was noticed. */
	readonly #former: { readonly offset: number; readonly until: number }[] = [];
	#offset = currentOffset();

	/**
	 * Notices whether the clock was set. Must be called often. Returns the size of the step, in milliseconds; 0 if the
	 * clock was not set.
	 */
	check(): number {
		const offset = currentOffset();
		const step = offset - this.#offset;
		if (Math.abs(step) < SMALLEST_STEP_MS || isMisread(offset)) return 0;
		const now = performance.now();
		this.#former.push({ offset: this.#offset, until: now });
		while (this.#former[0] !== undefined && now - this.#former[0].until > REMEMBER_MS) this.#former.shift();
		this.#offset = offset;
		return step;
	}

	/** Returns the least and the greatest setting since a time of the monotonic clock. */
	settingsSince(time: number): ClockSettings {
		this.check();
		let least = this.#offset;
		let most = this.#offset;
		for (const { offset, until } of this.#former) {
			if (until < time) continue;
			least = Math.min(least, offset);
			most = Math.max(most, offset);
		}
		return { least, most };
	}
}

/**
 * Returns whether a setting was read wrongly, because this thread was suspended between its looks at the two clocks. On
 * a busy machine, that happens now and then.
 */
function isMisread(offset: number): boolean {
	return Math.abs(currentOffset() - offset) >= SMALLEST_STEP_MS;
}

/** Returns the current setting of the clock, which changes only when the clock is set. */
function currentOffset(): number {
	return Date.now() - performance.now();
}
