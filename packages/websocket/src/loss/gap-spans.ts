import type { GapNotice } from '../wire/frame.ts';
import type { ClockSkews } from './clock-skews.ts';
import type { Accounted } from './peer.ts';
import type { Span } from './unpublished.ts';

/** Computes the spans of gaps, so that they hold by the clocks of all nodes that may have published what is missing. */
export class GapSpans {
	readonly #skews: ClockSkews;
	readonly #intervalMs: () => number;

	/** @param intervalMs returns the time between two heartbeats, in milliseconds */
	constructor(skews: ClockSkews, intervalMs: () => number) {
		this.#skews = skews;
		this.#intervalMs = intervalMs;
	}

	/** The longest time assumed between the publishing of a message and its receipt by the backend, in milliseconds. */
	get slackMs(): number {
		return this.#intervalMs() / 2;
	}

	/** Returns the most that the clock of another node can be behind this node's, and ahead of it, in milliseconds. */
	differences(): { readonly behindMs: number; readonly aheadMs: number } {
		const { least, most } = this.#skews.range();
		// A measured skew is too large by the delay of a beat. The skew of a clock that is ahead is negative, so this
		// error makes it look less far ahead than it is. The slack compensates for that.
		return { behindMs: Math.ceil(most), aheadMs: least < 0 ? Math.ceil(this.slackMs - least) : 0 };
	}

	/** Widens a span that is by this node's clock, so that it covers the same time by the clocks of all nodes. */
	byAllClocks(since: number, until: number): Span {
		const { behindMs, aheadMs } = this.differences();
		// If this node's clock was set back, `since` can be later than `until`.
		return { since: Math.floor(Math.min(since, until)) - behindMs, until: Math.ceil(until) + aheadMs };
	}

	/**
	 * Returns the span from `from` to now. It covers that time by two clocks: this node's, and the clock of the other
	 * node that `from` is about.
	 *
	 * @param now by the monotonic clock
	 * @param sentAt the current time by the other node's clock, if known; that clock may have been set since `from`
	 */
	since(from: Accounted, now: number, sentAt?: number): Span {
		const elapsedMs = now - from.at;
		const wall = Date.now();
		const until = Math.max(from.sentAt + elapsedMs, wall, sentAt ?? -Infinity);
		const since = Math.min(from.sentAt, wall - elapsedMs, sentAt === undefined ? Infinity : sentAt - elapsedMs);
		return { since: Math.floor(since - this.slackMs), until: Math.ceil(until) };
	}

	/** Returns the span of a notice, by the clock of the node that sent it and by this node's. */
	ofNotice({ origin, since, until, sentAt }: GapNotice): Span {
		// The clock skew plus the delay of the notice is `differenceMs`. Only the skew may shift the start of the gap.
		const differenceMs = Date.now() - sentAt;
		const skewMs = Math.min(differenceMs, this.#skews.of(origin) ?? 0);
		return {
			since: Math.floor(Math.min(since, since + skewMs) - this.slackMs),
			until: Math.ceil(Math.max(until, until + differenceMs)),
		};
	}
}
