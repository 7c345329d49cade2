/** Clocks are disciplined by less than this at once; a larger step means that the clock was set, in milliseconds. */
const SMALLEST_STEP_MS = 50;
/** How long a setting that no longer holds is remembered, in milliseconds. */
const REMEMBER_MS = 600_000;

/** Settings of this node's clock, as the difference between it and the monotonic clock, in milliseconds. */
export interface ClockSettings {
	readonly least: number;
	readonly most: number;
}

/** How this node's clock was set while it ran. Messages carry the time of this clock when they were published. */
export class OwnClock {
	/** The settings that no longer hold, with the time until which each may have held; oldest first. */
	readonly #former: { readonly offset: number; readonly until: number }[] = [];
	#offset = currentOffset();

	/** Notices whether the clock was set. To be called often. Returns by how much, in milliseconds. */
	check(): number {
		const offset = currentOffset();
		const step = offset - this.#offset;
		if (Math.abs(step) < SMALLEST_STEP_MS) return 0;
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

/** Constant until the clock is set. */
function currentOffset(): number {
	return Date.now() - performance.now();
}
