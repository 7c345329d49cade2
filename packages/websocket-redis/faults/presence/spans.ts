import type { Span } from './records.ts';

/** Returns the union of spans as spans that do not touch, in order. Spans without length are left out. */
export function union(spans: readonly Span[]): Span[] {
	const merged: { from: number; until: number }[] = [];
	for (const { from, until } of spans.filter((span) => span.from < span.until).toSorted((a, b) => a.from - b.from)) {
		const last = merged.at(-1);
		if (last === undefined || from > last.until) merged.push({ from, until });
		else last.until = Math.max(last.until, until);
	}
	return merged;
}

/** Returns what spans leave free, from -Infinity to Infinity. @param spans in order, without overlaps */
export function between(spans: readonly Span[]): Span[] {
	const free: Span[] = [];
	let from = -Infinity;
	for (const span of spans) {
		if (from < span.from) free.push({ from, until: span.from });
		from = span.until;
	}
	if (from < Infinity) free.push({ from, until: Infinity });
	return free;
}

/** Returns what of a span none of the others covers, in order. */
export function uncovered(span: Span, others: readonly Span[]): Span[] {
	return between(union(others)).flatMap((free) => intersection(span, free) ?? []);
}

/** Returns undefined if they do not overlap. */
export function intersection(one: Span, other: Span): Span | undefined {
	const from = Math.max(one.from, other.from);
	const until = Math.min(one.until, other.until);
	return from < until ? { from, until } : undefined;
}
