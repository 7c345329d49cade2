import type { Unpublished, UnpublishedSpans } from './unpublished.ts';

/**
 * How many times a gap notice is repeated, once per beat. The nodes that need it may be recovering from the same
 * outage, which takes up to 1.5 s.
 */
const REPEATS = 6;
/** After how many beats the notices that are kept are sent again, for nodes that were interrupted meanwhile. */
const BEATS_TO_KEPT = 20;
/**
 * How long notices of messages on a wrong server are kept for nodes that start later, in milliseconds. Clients resume
 * topics there.
 */
const KEEP_MS = 600_000;

/**
 * Decides when this node sends gap notices about what it could not publish: immediately, and again with the next beats.
 */
export class OutgoingGapNotices {
	readonly #unpublished: Unpublished;
	readonly #repeats: boolean;
	readonly #repeating: { readonly spans: UnpublishedSpans; left: number }[] = [];
	#beats = 0;
	#kept: { readonly spans: UnpublishedSpans; readonly at: number }[] = [];

	/** @param repeats whether notices are repeated, which requires heartbeats: `due` is called for each of them */
	constructor(unpublished: Unpublished, repeats: boolean) {
		this.#unpublished = unpublished;
		this.#repeats = repeats;
	}

	/** Whether a notice will be sent again with the next beat. */
	get areRepeating(): boolean {
		return this.#repeating.length > 0;
	}

	/** Returns the spans that have not been sent yet; undefined if all have been. */
	fresh(): UnpublishedSpans | undefined {
		if (this.#unpublished.isEmpty) return undefined;
		const spans = this.#unpublished.take();
		if (this.#repeats) this.#repeating.push({ spans, left: REPEATS });
		if (spans.everything?.misled === true) this.#kept.push({ spans, at: performance.now() });
		return spans;
	}

	/** Returns the spans whose notices a node needs that has just started. */
	forNewNode(): readonly UnpublishedSpans[] {
		const now = performance.now();
		this.#kept = this.#kept.filter(({ at }) => now - at <= KEEP_MS);
		return this.#kept.map(({ spans }) => spans);
	}

	/** Returns the spans whose notices must be repeated now. Called once per beat that the backend accepted. */
	due(): readonly UnpublishedSpans[] {
		const due: UnpublishedSpans[] = [];
		for (const each of this.#repeating) {
			each.left--;
			due.push(each.spans);
		}
		while (this.#repeating[0] !== undefined && this.#repeating[0].left <= 0) this.#repeating.shift();
		if (this.#kept.length > 0 && ++this.#beats % BEATS_TO_KEPT === 0) due.push(...this.forNewNode());
		return due;
	}
}
