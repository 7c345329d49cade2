import type { Logger } from '../logger.ts';
import { Listeners } from '../support/listeners.ts';

/** Messages published to `topic` between `since` and `until` may be missing. */
export interface Gap {
	/** A topic, or `*` for messages that belong to no topic: those of `broadcast` and `send`. */
	readonly topic: string;
	/**
	 * Milliseconds since the epoch. Nothing published before is missing, by the clock of the node that published it or
	 * by this node's.
	 */
	readonly since: number;
	/** Milliseconds since the epoch, by the same clocks. Nothing published after is missing. */
	readonly until: number;
	/** What happened, as text for people. */
	readonly reason: string;
}

/**
 * How long a gap is held back before listeners are called, in milliseconds. Several nodes may notice the same outage at
 * different times; whatever they notice within this time is merged into one gap.
 */
export const GAP_HOLD_MS = 1_250;

/** How long a reported gap is remembered, in milliseconds; later reports that it covers are ignored. */
const LATE_REPORT_MS = 30_000;

type Span = { since: number; until: number; reason: string };

/** Gathers what may be missing and calls each listener once per topic and interruption. */
export class GapEvents {
	readonly #logger: Logger;
	readonly #listeners: Listeners<Gap>;
	readonly #pending = new Map<string, Span>();
	/** The gaps reported lately, for late reports of the same outage. */
	readonly #reported = new Map<string, Span & { readonly at: number }>();
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(logger: Logger) {
		this.#logger = logger;
		this.#listeners = new Listeners((err, { topic }) => logger.error('A gap listener failed', { topic, err }));
	}

	/** Returns the undo. */
	on(listener: (gap: Gap) => void): () => void {
		return this.#listeners.add(listener);
	}

	/**
	 * Messages may be missing in these topics; reported after the hold.
	 *
	 * @param endedAt when the loss was over at the latest, by the monotonic clock; a gap reported later has covered it
	 */
	add(
		topics: Iterable<string>,
		since: number,
		until: number,
		reason: string,
		endedAt: number = performance.now(),
	): void {
		for (const topic of topics) {
			const reported = this.#reported.get(topic);
			const isReported = reported !== undefined && endedAt <= reported.at;
			if (isReported && since >= reported.since && until <= reported.until) continue;
			const pending = this.#pending.get(topic);
			if (pending === undefined) {
				this.#pending.set(topic, { since, until, reason });
			} else {
				pending.since = Math.min(pending.since, since);
				pending.until = Math.max(pending.until, until);
			}
		}
		if (this.#pending.size === 0) return;
		this.#timer ??= setTimeout(() => this.flush(), GAP_HOLD_MS);
	}

	/**
	 * Returns the time up to which all missing messages have been reported, by the monotonic clock: `now` if no gap is
	 * held back.
	 */
	reportedUntil(now: number): number {
		let least = now;
		const wall = Date.now();
		for (const { since } of this.#pending.values()) least = Math.min(least, now - (wall - since));
		return least;
	}

	/** Reports a gap at once. */
	report(gap: Gap): void {
		const { topic, ...span } = gap;
		this.#logger.warn('Messages on a topic with history may be missing', { topic, ...span });
		this.#listeners.call(gap);
	}

	/** Reports at once what is held. */
	flush(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		if (this.#pending.size === 0) return;
		const pending = [...this.#pending];
		this.#pending.clear();
		this.#forget();
		const [[first, span]] = pending as [[string, Span]];
		const where = pending.length === 1 ? `topic ${first}` : `${pending.length} topics, including ${first}`;
		this.#logger.warn(`Messages may be missing in ${where}`, { topic: first, ...span });
		for (const [topic, span] of pending) {
			this.#reported.set(topic, { ...span, at: performance.now() });
			this.#listeners.call({ topic, ...span });
		}
	}

	/** Reports what is held, and nothing after that. */
	close(): void {
		this.flush();
		this.#reported.clear();
	}

	#forget(): void {
		const now = performance.now();
		for (const [topic, { at }] of this.#reported) if (now - at > LATE_REPORT_MS) this.#reported.delete(topic);
	}
}
