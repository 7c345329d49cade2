import type { Published } from './numbered-topic.ts';
import type { ClientEvent } from './recording-client.ts';

/** The differences between the messages that a client received and those that were published, by number. */
export interface Discrepancies {
	/** Messages that were accepted, but not received. */
	readonly missing: number[];
	/** Missing messages that were not reported by a gap between the previous message and the next one. */
	readonly silent: number[];
	readonly duplicates: number[];
	/** Messages that were received after a later one. */
	readonly inversions: number[];
}

/** The tolerance for times, in milliseconds: the clock is read slightly before or after an event. */
const SLACK_MS = 50;

/**
 * Compares the messages that a client received on a topic with those published to it. A missing message counts as
 * reported if, in its place, the client received a gap that covers the time at which the message was published.
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
