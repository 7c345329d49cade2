import type { Position } from '../protocol/position.ts';

/** How long an append is remembered, in milliseconds. */
const REMEMBER_MS = 60_000;
/** The maximum number of topics that are remembered. */
const MAX_TOPICS = 10_000;

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
			if (this.#topics.size <= MAX_TOPICS && now - at <= REMEMBER_MS) return;
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
	 * Returns where the store put the last message of a topic that was sent to it before `time`; undefined if none was.
	 * `time` must not be earlier than the last two appends to the topic that were confirmed.
	 */
	lastStored(topic: string, time: number): Position | undefined {
		const { stored, earlier } = this.#topics.get(topic) ?? {};
		return [stored, earlier].find((append) => append !== undefined && append.sentAt <= time)?.position;
	}
}
