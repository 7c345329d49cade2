/**
 * A map whose entries are forgotten some time after they were set, even if the map is not used in the meantime. Times
 * are measured by the monotonic clock.
 */
export class Remembered<TValue> {
	readonly #forMs: number;
	/** Entries in the order in which they were set. */
	readonly #entries = new Map<string, { readonly value: TValue; readonly at: number }>();
	#timer: ReturnType<typeof setTimeout> | undefined;

	/** @param forMs how long an entry is remembered, in milliseconds */
	constructor(forMs: number) {
		this.#forMs = forMs;
	}

	get size(): number {
		return this.#entries.size;
	}

	get(key: string): TValue | undefined {
		const entry = this.#entries.get(key);
		return entry !== undefined && performance.now() - entry.at <= this.#forMs ? entry.value : undefined;
	}

	/** Sets an entry, and starts its time again. */
	set(key: string, value: TValue): void {
		this.#entries.delete(key);
		this.#entries.set(key, { value, at: performance.now() });
		this.#arm(this.#forMs);
	}

	clear(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#entries.clear();
	}

	#arm(delayMs: number): void {
		if (this.#timer !== undefined) return;
		// A timer may fire a little early.
		this.#timer = setTimeout(() => this.#forget(), delayMs + 1);
		this.#timer.unref();
	}

	#forget(): void {
		this.#timer = undefined;
		const now = performance.now();
		for (const [key, { at }] of this.#entries) {
			if (now - at <= this.#forMs) return this.#arm(this.#forMs - (now - at));
			this.#entries.delete(key);
		}
	}
}
