import type { Logger } from '../logger.ts';
import { FailureLog } from '../support/failure-log.ts';
import { Listeners } from '../support/listeners.ts';
import { type LogKind, type LogThrottle, throttleOf } from '../support/log-throttle.ts';
import { Remembered } from '../support/remembered.ts';

/** Messages published to `topic` between `since` and `until` may be missing. */
export interface Gap {
	/** A topic, or `*` for messages that belong to no topic: those of `broadcast` and `send`. */
	readonly topic: string;
	/**
	 * The start of the gap, in milliseconds since the epoch. No message published earlier is missing, whether its time
	 * is taken from the clock of its publisher or from this node's.
	 */
	readonly since: number;
	/**
	 * The end of the gap, in milliseconds since the epoch, by the same clocks. No message published later is missing.
	 */
	readonly until: number;
	/** What happened, in words for people. */
	readonly reason: string;
}

/**
 * How long a gap is held back before listeners are called, in milliseconds. Several nodes can notice the same outage at
 * different times. Their reports within this time are merged into one gap.
 */
export const GAP_HOLD_MS = 1_250;

/**
 * How long a reported gap is remembered, in milliseconds. In this time, a loss that the gap covers is not reported
 * again.
 */
const LATE_REPORT_MS = 30_000;

const GAP: LogKind = { key: 'gap', summary: 'Messages may be missing' };
const HISTORY_GAP: LogKind = { key: 'history gap', summary: 'Messages on a topic with history may be missing' };

type Span = { since: number; until: number; reason: string };

/**
 * Merges losses into gaps, holds each gap back for a short time, and then calls the listeners: once per topic and
 * interruption.
 */
export class GapEvents {
	readonly #throttle: LogThrottle;
	readonly #listeners: Listeners<Gap>;
	readonly #pending = new Map<string, Span>();
	/** Recently reported gaps, by topic. A loss that one of them covers is not reported again. */
	readonly #reported = new Remembered<Span & { readonly at: number }>(LATE_REPORT_MS);
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(logger: Logger) {
		this.#throttle = throttleOf(logger);
		const failures = new FailureLog(logger);
		this.#listeners = new Listeners((thrown, { topic }) => failures.report(thrown, 'onGap', { topic }));
	}

	/** Adds a listener. Returns a function that removes it. */
	on(listener: (gap: Gap) => unknown): () => void {
		return this.#listeners.add(listener);
	}

	/**
	 * Records that messages may be missing in these topics. The gaps are reported once they have been held back for
	 * `GAP_HOLD_MS`.
	 *
	 * @param endedAt the latest time at which the loss ended, by the monotonic clock. Only a gap that was reported later
	 * can cover the loss.
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
	 * Returns the time up to which all missing messages have been reported, by the monotonic clock. Returns `now` if no
	 * gap is held back.
	 */
	reportedUntil(now: number): number {
		let least = now;
		const wall = Date.now();
		for (const { since } of this.#pending.values()) least = Math.min(least, now - (wall - since));
		return least;
	}

	/** Reports a gap immediately, without holding it back. */
	report(gap: Gap): void {
		const { topic, ...span } = gap;
		this.#throttle.add('warn', HISTORY_GAP, HISTORY_GAP.summary, { topic, ...span });
		this.#listeners.call(gap);
	}

	/** Reports the gaps that are being held back, without waiting any longer. */
	flush(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		if (this.#pending.size === 0) return;
		const pending = [...this.#pending];
		this.#pending.clear();
		const [[first, span]] = pending as [[string, Span]];
		const where = pending.length === 1 ? `topic ${first}` : `${pending.length} topics, including ${first}`;
		this.#throttle.add('warn', GAP, `Messages may be missing in ${where}`, { topic: first, ...span });
		for (const [topic, span] of pending) {
			this.#reported.set(topic, { ...span, at: performance.now() });
			this.#listeners.call({ topic, ...span });
		}
	}

	/** Reports the gaps that are being held back, and forgets all gaps. */
	close(): void {
		this.flush();
		this.#reported.clear();
	}
}
