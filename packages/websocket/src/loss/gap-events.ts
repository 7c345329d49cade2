import type { Logger } from '../logger.ts';
import { Listeners } from '../support/listeners.ts';

/** Messages may be missing: those published to `topic` between `since` and `until`. */
export interface Gap {
	/** A topic, or `*`: messages sent to this node's sockets themselves, by `broadcast` or `send`. */
	readonly topic: string;
	/** Milliseconds since the epoch, by this node's clock. Nothing from before is missing. */
	readonly since: number;
	/** Milliseconds since the epoch, by this node's clock. Nothing from after is missing. */
	readonly until: number;
	/** What happened, for people. */
	readonly reason: string;
}

/**
 * How long a gap waits before it is reported, in milliseconds. Several nodes see one outage, each a little later than the other;
 * what they say of it in this time is one gap.
 */
export const GAP_HOLD_MS = 1_250;

/** News of an outage that comes later than this after its report is none, in milliseconds. */
const LATE_NEWS_MS = 30_000;

type Span = { since: number; until: number; reason: string };

/** Gathers what may be missing and tells each listener once per topic and interruption. */
export class GapEvents {
	readonly #logger: Logger;
	readonly #listeners: Listeners<Gap>;
	readonly #pending = new Map<string, Span>();
	/** What was reported, for as long as late news of the same outage may come in. */
	readonly #reported = new Map<string, Span & { at: number }>();
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(logger: Logger) {
		this.#logger = logger;
		this.#listeners = new Listeners((err, { topic }) => logger.error('A gap listener failed', { topic, err }));
	}

	/** Returns the undo. */
	on(listener: (gap: Gap) => void): () => void {
		return this.#listeners.add(listener);
	}

	/** Something may be missing in these topics. */
	add(topics: Iterable<string>, since: number, until: number, reason: string): void {
		for (const topic of topics) {
			const reported = this.#reported.get(topic);
			if (reported !== undefined && since >= reported.since && until <= reported.until) continue;
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

	/** Reports a gap at once. */
	report(gap: Gap): void {
		const { topic, ...span } = gap;
		this.#logger.warn('Messages of a topic with history may be missing', { topic, ...span });
		this.#listeners.call(gap);
	}

	/** Reports what is held back, now. */
	flush(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		if (this.#pending.size === 0) return;
		const pending = [...this.#pending];
		this.#pending.clear();
		this.#forget();
		const [first] = pending;
		this.#logger.warn(`Messages may be missing in ${pending.length} topics`, { topic: first?.[0], ...first?.[1] });
		for (const [topic, span] of pending) {
			this.#reported.set(topic, { ...span, at: Date.now() });
			this.#listeners.call({ topic, ...span });
		}
	}

	/** What is held back is reported, and nothing after that. */
	close(): void {
		this.flush();
		this.#reported.clear();
	}

	#forget(): void {
		const now = Date.now();
		for (const [topic, { at }] of this.#reported) if (now - at > LATE_NEWS_MS) this.#reported.delete(topic);
	}
}
