/** How late a timer must fire to show that the process has hung, in milliseconds. */
const SHORTEST_STALL_MS = 100;

/** How much longer entries are then waited for, in milliseconds. */
export const AFTER_STALL_MS = 1_000;

/**
 * A set whose entries expire a fixed time after being added. They expire in the order in which they were added, so one
 * timer is enough, and adding and deleting cost no more than with a `Map`.
 *
 * If the process hung when the first of them was due, they are given a little more time: what they wait for may have
 * arrived without being read.
 */
export class Deadlines<TEntry> {
	readonly #ms: number;
	readonly #expired: (entry: TEntry) => void;
	/** When each entry expires (monotonic clock, in milliseconds). */
	readonly #due = new Map<TEntry, number>();
	#timer: ReturnType<typeof setTimeout> | undefined;
	/** When the timer should fire. */
	#plannedAt = 0;
	#isPostponed = false;
	#isChecking = false;

	/**
	 * @param ms the time until an entry expires, in milliseconds
	 * @param expired called once for each entry that was not deleted in time; must not throw
	 */
	constructor(ms: number, expired: (entry: TEntry) => void) {
		this.#ms = ms;
		this.#expired = expired;
	}

	/** Adds an entry, which must not be present already. */
	add(entry: TEntry): void {
		this.#due.set(entry, performance.now() + this.#ms);
		if (this.#timer === undefined && !this.#isChecking) this.#wait(this.#ms);
	}

	delete(entry: TEntry): void {
		this.#due.delete(entry);
	}

	/** Deletes all entries. */
	clear(): void {
		this.#due.clear();
		clearTimeout(this.#timer);
		this.#timer = undefined;
	}

	#wait(ms: number): void {
		this.#plannedAt = performance.now() + ms;
		this.#timer = setTimeout(() => this.#check(), ms);
		// The timer must not keep the process of a stopped application alive.
		this.#timer.unref();
	}

	#check(): void {
		this.#timer = undefined;
		const now = performance.now();
		// Only once: a process that is always busy must not wait forever.
		this.#isPostponed = !this.#isPostponed && now - this.#plannedAt > SHORTEST_STALL_MS;
		if (this.#isPostponed) return this.#wait(Math.min(this.#ms, AFTER_STALL_MS));
		this.#isChecking = true;
		for (const [entry, due] of this.#due) {
			if (due > now) {
				// Timers can fire slightly early.
				this.#wait(Math.ceil(due - now));
				break;
			}
			this.#due.delete(entry);
			this.#expired(entry);
		}
		this.#isChecking = false;
	}
}
