import { describe, expect, it } from 'vitest';
import { median, mediansOf, percentile, spread } from './statistics.ts';

describe('statistics', () => {
	it('takes the middle value as the median, or the mean of the two middle values', () => {
		expect(median([3, 1, 2])).toBe(2);
		expect(median([4, 1, 3, 2])).toBe(2.5);
		expect(spread([5, 1, 9])).toEqual({ median: 5, min: 1, max: 9 });
	});

	it('takes the smallest value that covers the share as the percentile', () => {
		const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
		expect([0, 0.5, 0.99, 0.999, 1].map((share) => percentile(hundred, share))).toEqual([1, 50, 99, 100, 100]);
	});

	it('takes medians by name over the records that have the name', () => {
		expect(mediansOf([{ a: 1 }, { a: 3, b: 7 }, {}])).toEqual({ a: 2, b: 7 });
	});
});
