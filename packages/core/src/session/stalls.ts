/** How much later than planned a tick must be to show that the process has hung, in milliseconds. */
const SHORTEST_STALL_MS = 100;

/** How long the consequences of a stall last, in milliseconds: what clients sent meanwhile is read little by little. */
const AFTER_STALL_MS = 5_000;

/**
 * Knows for how long the process has hung lately, so that nothing was read from any client. Times are by the monotonic
 * clock, in milliseconds.
 */
export class Stalls {
	readonly #longestTickMs: number;
	#tickedAt: number;
	/** The longest stall of late. */
	#longestMs = 0;
	#endedAt = -Infinity;

	/** @param tickMs the interval at which {@link ticked} is called */
	constructor(tickMs: number, now: number) {
		this.#longestTickMs = tickMs + SHORTEST_STALL_MS;
		this.#tickedAt = now;
	}

	/** Called when ticks begin again, after a time without any. */
	begin(now: number): void {
		this.#tickedAt = now;
	}

	ticked(now: number): void {
		const ms = now - this.#tickedAt;
		this.#tickedAt = now;
		if (ms <= this.#longestTickMs || ms < this.#earlierMs(now)) return;
		this.#longestMs = ms;
		this.#endedAt = now;
	}

	/** Returns how long the longest stall of the last few seconds was, in milliseconds; 0 if it has not hung. */
	recentMs(now: number): number {
		// What has waited for the end of a stall can be read before the next tick.
		const ms = now - this.#tickedAt;
		return ms <= this.#longestTickMs ? this.#earlierMs(now) : Math.max(ms, this.#earlierMs(now));
	}

	#earlierMs(now: number): number {
		return now - this.#endedAt <= AFTER_STALL_MS ? this.#longestMs : 0;
	}
}
