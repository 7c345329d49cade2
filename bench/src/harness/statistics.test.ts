import { describe, expect, it } from 'vitest';
import { median, mediansOf, percentile, spread } from './statistics.ts';

describe('figures', () => {
	it('the median is the middle, or between the two in the middle', () => {
		expect(median([3, 1, 2])).toBe(2);
		expect(median([4, 1, 3, 2])).toBe(2.5);
		expect(spread([5, 1, 9])).toEqual({ median: 5, min: 1, max: 9 });
	});

	it('a percentile is the least value that so many are not above', () => {
		const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
		expect([0, 0.5, 0.99, 0.999, 1].map((share) => percentile(hundred, share))).toEqual([1, 50, 99, 100, 100]);
	});

	it('medians by name are over those that have it', () => {
		expect(mediansOf([{ a: 1 }, { a: 3, b: 7 }, {}])).toEqual({ a: 2, b: 7 });
	});
});
