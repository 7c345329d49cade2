/**
 * Entries that all expire after the same time. They expire in the order in which they were added, so one timer is
 * enough, and adding and deleting cost no more than with a `Map`.
 */
export class Deadlines<TEntry> {
	readonly #ms: number;
	readonly #expired: (entry: TEntry) => void;
	/** When each entry expires (monotonic clock, in milliseconds). */
	readonly #due = new Map<TEntry, number>();
	#timer: ReturnType<typeof setTimeout> | undefined;
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
		this.#timer = setTimeout(() => this.#check(), ms);
		// The timer must not keep the process of a stopped application alive.
		this.#timer.unref();
	}

	#check(): void {
		this.#timer = undefined;
		this.#isChecking = true;
		const now = performance.now();
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
