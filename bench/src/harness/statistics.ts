import type { Spread } from '../report/results.ts';

/**
 * Returns the smallest value that covers a share of all values.
 *
 * @param sorted the values, in ascending order
 * @param share from 0 to 1
 */
export function percentile(sorted: readonly number[], share: number): number {
	const index = Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1));
	return sorted[index] ?? NaN;
}

export function median(values: readonly number[]): number {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = sorted.length / 2;
	if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] as number;
	return ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

export function spread(values: readonly number[]): Spread {
	return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** Returns the median for each name, over all records that have this name. */
export function mediansOf(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
	const names = new Set(records.flatMap((record) => Object.keys(record)));
	return Object.fromEntries(
		Array.from(names, (name) => [name, median(records.flatMap((record) => record[name] ?? []))]),
	);
}
