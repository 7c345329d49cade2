/** How long a loss is remembered, in milliseconds: longer than it takes until beats of all other nodes arrive. */
const REMEMBER_MS = 15_000;

/** Remembers which topics with history have lost messages lately. Times are by the monotonic clock. */
export class RecentLosses {
	readonly #lostAt = new Map<string, number>();

	add(topic: string, now: number): void {
		this.#lostAt.delete(topic);
		this.#lostAt.set(topic, now);
		for (const [oldest, at] of this.#lostAt) {
			if (now - at <= REMEMBER_MS) break;
			this.#lostAt.delete(oldest);
		}
	}

	has(topic: string, now: number): boolean {
		const at = this.#lostAt.get(topic);
		return at !== undefined && now - at <= REMEMBER_MS;
	}
}
