/** How long an append is remembered, in milliseconds. */
const REMEMBER_MS = 60_000;
/** The maximum number of topics that are remembered. */
const MAX_TOPICS = 10_000;

/** The topics to which this node has appended lately. Times are by the monotonic clock, in milliseconds. */
export class RecentAppends {
	/** When each topic was last appended to, in the order of these times. */
	readonly #lastAt = new Map<string, number>();
	/** When a topic was last appended to that is no longer remembered. */
	#forgottenAt = -Infinity;

	add(topic: string, now: number): void {
		this.#lastAt.delete(topic);
		this.#lastAt.set(topic, now);
		for (const [oldest, at] of this.#lastAt) {
			if (this.#lastAt.size <= MAX_TOPICS && now - at <= REMEMBER_MS) return;
			this.#forgottenAt = at;
			this.#lastAt.delete(oldest);
		}
	}

	/** Returns the topics that were appended to since then, or 'all' if that is no longer known. */
	since(time: number): readonly string[] | 'all' {
		if (this.#forgottenAt >= time) return 'all';
		return Array.from(
			this.#lastAt.entries().filter(([, at]) => at >= time),
			([topic]) => topic,
		);
	}
}
