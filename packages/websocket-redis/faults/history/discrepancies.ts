import type { Published } from './numbered-topic.ts';
import type { ClientEvent } from './recording-client.ts';

/** How the messages that a client received differ from those that were published, by their numbers. */
export interface Discrepancies {
	/** Accepted, and not received. */
	readonly missing: number[];
	/** Missing, and not reported by a gap between the previous message and the next one. */
	readonly silent: number[];
	readonly duplicates: number[];
	/** Received after a later one. */
	readonly inversions: number[];
}

/** Times are read before and after the event they stand for, in milliseconds. */
const SLACK_MS = 50;

/**
 * Compares what a client received on a topic with what was published there. A missing message counts as reported if
 * the client got a gap in its place that covers its publication time.
 */
export function discrepancies(events: readonly ClientEvent[], published: readonly Published[]): Discrepancies {
	const seen = new Set<number>();
	const [missing, silent, duplicates, inversions]: number[][] = [[], [], [], []];
	let next = 0;
	let gaps: { since: number; until: number }[] = [];
	const skip = (to: number): void => {
		for (; next < to; next++) {
			missing?.push(next);
			const { triedAt = 0, acceptedAt = 0 } = published[next] ?? {};
			const isReported = gaps.some(({ since, until }) => triedAt <= until + SLACK_MS && acceptedAt >= since - SLACK_MS);
			if (!isReported) silent?.push(next);
		}
	};
	for (const event of events) {
		if (event.kind === 'gap') gaps.push(event);
		if (event.kind !== 'message') continue;
		const n = Number(event.text);
		if (seen.has(n)) duplicates?.push(n);
		else if (n < next) inversions?.push(n);
		seen.add(n);
		if (n < next) continue;
		skip(n);
		next = n + 1;
		gaps = [];
	}
	skip(published.length);
	return { missing: missing ?? [], silent: silent ?? [], duplicates: duplicates ?? [], inversions: inversions ?? [] };
}
