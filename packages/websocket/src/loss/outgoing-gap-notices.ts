import type { Span, Unpublished } from './unpublished.ts';

/**
 * How many beats in a row repeat an announcement. Those whom it concerns may only just be coming back from the same outage, which
 * takes them up to a second and a half.
 */
const REPEATS = 6;
/** How long a notice is remembered, so that its repetitions are known for what they are, in milliseconds. */
const REMEMBER_MS = 30_000;

/** Channels, and everything, that this node could not publish to, as it tells the others. */
export interface UnpublishedSpans {
	readonly channels: ReadonlyMap<string, Span>;
	readonly everything: Span | undefined;
}

/** What this node has to tell the others of its failures to publish: each several times. */
export class OutgoingGapNotices {
	readonly #unsent: Unpublished;
	readonly #repeats: boolean;
	readonly #repeating: { readonly announcement: UnpublishedSpans; left: number }[] = [];

	/** @param repeats whether `due` will be called: without beats there is nothing to repeat with */
	constructor(unsent: Unpublished, repeats: boolean) {
		this.#unsent = unsent;
		this.#repeats = repeats;
	}

	/** What is new, to be told at once. */
	fresh(): UnpublishedSpans | undefined {
		if (this.#unsent.isEmpty) return undefined;
		const announcement = this.#unsent.take();
		if (this.#repeats) this.#repeating.push({ announcement, left: REPEATS });
		return announcement;
	}

	/** What is to be told again, once a beat that got through. */
	due(): readonly UnpublishedSpans[] {
		const due: UnpublishedSpans[] = [];
		for (const each of this.#repeating) {
			each.left--;
			due.push(each.announcement);
		}
		while (this.#repeating[0] !== undefined && this.#repeating[0].left <= 0) this.#repeating.shift();
		return due;
	}
}

/** Notices of other nodes that have been heard. */
export class ReceivedGapNotices {
	readonly #heard = new Map<string, number>();

	/** Whether a notice is new; the next one like it is not. */
	isNew(key: string, now: number): boolean {
		for (const [old, at] of this.#heard) {
			if (now - at <= REMEMBER_MS) break;
			this.#heard.delete(old);
		}
		if (this.#heard.has(key)) return false;
		this.#heard.set(key, now);
		return true;
	}
}
