import type { Span } from './unpublished.ts';

/** How long a span is remembered, in milliseconds: clients may be away for that long, and are told when they resume. */
const REMEMBER_MS = 600_000;

/** When nodes stored messages on a wrong server, where no other node can read them. */
export class MisledSpans {
	#spans: { readonly span: Span; readonly at: number }[] = [];

	add(span: Span): void {
		this.#forget();
		this.#spans.push({ span, at: performance.now() });
	}

	/** Returns the time from the first span to the last one; undefined if there are no spans. */
	get all(): Span | undefined {
		if (this.#spans.length === 0) return undefined;
		this.#forget();
		if (this.#spans.length === 0) return undefined;
		return {
			since: Math.min(...this.#spans.map(({ span }) => span.since)),
			until: Math.max(...this.#spans.map(({ span }) => span.until)),
		};
	}

	#forget(): void {
		const now = performance.now();
		this.#spans = this.#spans.filter(({ at }) => now - at <= REMEMBER_MS);
	}
}
