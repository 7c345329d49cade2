/**
 * Entries that all have the same time. As the first in is the first out, one timer is enough, and to add and to remove cost no
 * more than in a map.
 */
export class Deadlines<TEntry> {
	readonly #ms: number;
	readonly #expired: (entry: TEntry) => void;
	/** When each is due, in milliseconds by the monotonic clock. */
	readonly #due = new Map<TEntry, number>();
	#timer: ReturnType<typeof setTimeout> | undefined;
	#isChecking = false;

	/** @param expired is called once for each entry that was not removed in time; must not throw */
	constructor(ms: number, expired: (entry: TEntry) => void) {
		this.#ms = ms;
		this.#expired = expired;
	}

	/** The entry must not be there already. */
	add(entry: TEntry): void {
		this.#due.set(entry, performance.now() + this.#ms);
		if (this.#timer === undefined && !this.#isChecking) this.#wait(this.#ms);
	}

	delete(entry: TEntry): void {
		this.#due.delete(entry);
	}

	/** Forgets them all. */
	clear(): void {
		this.#due.clear();
		clearTimeout(this.#timer);
		this.#timer = undefined;
	}

	#wait(ms: number): void {
		this.#timer = setTimeout(() => this.#check(), ms);
		// It must not keep a stopped application's process alive.
		this.#timer.unref();
	}

	#check(): void {
		this.#timer = undefined;
		this.#isChecking = true;
		const now = performance.now();
		for (const [entry, due] of this.#due) {
			if (due > now) {
				// Timers may fire a little early.
				this.#wait(Math.ceil(due - now));
				break;
			}
			this.#due.delete(entry);
			this.#expired(entry);
		}
		this.#isChecking = false;
	}
}
