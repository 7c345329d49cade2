import type { Told } from './follower.ts';
import type { Published } from './numbered.ts';

export interface Balance {
	/** Accepted, and never heard. */
	readonly missing: number[];
	/** Those of them that nothing between the message before and the one after tells of. */
	readonly silent: number[];
	readonly duplicates: number[];
	/** Heard after a later one. */
	readonly inversions: number[];
}

/** Clocks are read before and after what they time, in milliseconds. */
const SLACK_MS = 50;

/**
 * Balances what one client heard of one topic with what was published there. A message that is missing is told of by a gap that stands
 * where it would have stood, and whose time its publication fell into.
 */
export function balance(told: readonly Told[], published: readonly Published[]): Balance {
	const seen = new Set<number>();
	const [missing, silent, duplicates, inversions]: number[][] = [[], [], [], []];
	let next = 0;
	let gaps: { since: number; until: number }[] = [];
	const skip = (to: number): void => {
		for (; next < to; next++) {
			missing?.push(next);
			const { triedAt = 0, acceptedAt = 0 } = published[next] ?? {};
			const isTold = gaps.some(({ since, until }) => triedAt <= until + SLACK_MS && acceptedAt >= since - SLACK_MS);
			if (!isTold) silent?.push(next);
		}
	};
	for (const one of told) {
		if (one.kind === 'gap') gaps.push(one);
		if (one.kind !== 'message') continue;
		const n = Number(one.text);
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
