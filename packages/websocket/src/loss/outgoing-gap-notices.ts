import type { Unpublished, UnpublishedSpans } from './unpublished.ts';

/**
 * How many beats in a row repeat a gap notice. The nodes it is meant for may be recovering from the same outage, which
 * takes them up to 1.5 s.
 */
const REPEATS = 6;

/**
 * Decides when the other nodes are told what this node could not publish: at once, and again with the following beats.
 */
export class OutgoingGapNotices {
	readonly #unpublished: Unpublished;
	readonly #repeats: boolean;
	readonly #repeating: { readonly spans: UnpublishedSpans; left: number }[] = [];

	/** @param repeats whether `due` will be called, which takes heartbeats */
	constructor(unpublished: Unpublished, repeats: boolean) {
		this.#unpublished = unpublished;
		this.#repeats = repeats;
	}

	/** Whether a notice is to be sent again with the next beat. */
	get areRepeating(): boolean {
		return this.#repeating.length > 0;
	}

	/** Returns the spans that have not been sent before. */
	fresh(): UnpublishedSpans | undefined {
		if (this.#unpublished.isEmpty) return undefined;
		const spans = this.#unpublished.take();
		if (this.#repeats) this.#repeating.push({ spans, left: REPEATS });
		return spans;
	}

	/** Returns the notices to repeat now. Called once per beat that the backend accepted. */
	due(): readonly UnpublishedSpans[] {
		const due: UnpublishedSpans[] = [];
		for (const each of this.#repeating) {
			each.left--;
			due.push(each.spans);
		}
		while (this.#repeating[0] !== undefined && this.#repeating[0].left <= 0) this.#repeating.shift();
		return due;
	}
}
