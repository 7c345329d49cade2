import type { Position } from '../protocol/position.ts';

/** How long an append is remembered, in milliseconds. */
const REMEMBER_MS = 60_000;
/** The maximum number of topics that are remembered. */
const MAX_TOPICS = 10_000;
/** This many topics are remembered for any time. */
const MIN_TOPICS = 100;

/** An append that the store has confirmed. */
export interface StoredAppend {
	/** The position of its last message. */
	readonly position: Position;
	/** When it was sent to the store. */
	readonly sentAt: number;
}

interface Recent {
	/** When the topic was last appended to. */
	at: number;
	/** The latest append that was confirmed, and the one before it. */
	stored: StoredAppend | undefined;
	earlier: StoredAppend | undefined;
}

/** Remembers to which topics this node has appended recently. Times are by the monotonic clock, in milliseconds. */
export class RecentAppends {
	/** By topic, in the order of the latest appends. */
	readonly #topics = new Map<string, Recent>();
	/** The time of the latest append that is no longer remembered. */
	#forgottenAt = -Infinity;

	add(topic: string, now: number): void {
		const recent = this.#topics.get(topic);
		if (recent === undefined) {
			this.#topics.set(topic, { at: now, stored: undefined, earlier: undefined });
		} else {
			recent.at = now;
			this.#topics.delete(topic);
			this.#topics.set(topic, recent);
		}
		for (const [oldest, { at }] of this.#topics) {
			const { size } = this.#topics;
			if (size <= MIN_TOPICS || (size <= MAX_TOPICS && now - at <= REMEMBER_MS)) return;
			this.#forgottenAt = at;
			this.#topics.delete(oldest);
		}
	}

	/** Called when the store has confirmed an append. */
	stored(topic: string, append: StoredAppend): void {
		const recent = this.#topics.get(topic);
		if (recent === undefined) return;
		recent.earlier = recent.stored;
		recent.stored = append;
	}

	/**
	 * Returns the topics that were appended to at or after `time`, or 'all' if some of them are no longer remembered.
	 */
	since(time: number): readonly string[] | 'all' {
		if (this.#forgottenAt >= time) return 'all';
		return Array.from(
			this.#topics.entries().filter(([, { at }]) => at >= time),
			([topic]) => topic,
		);
	}

	/**
	 * Yields the last append to each topic that was sent before `time`. At most one later append to each may have been
	 * confirmed.
	 */
	*storedBefore(time: number): Generator<readonly [topic: string, append: StoredAppend]> {
		for (const [topic, { stored, earlier }] of this.#topics) {
			if (stored !== undefined && stored.sentAt <= time) yield [topic, stored];
			else if (earlier !== undefined && earlier.sentAt <= time) yield [topic, earlier];
		}
	}
}
