import { expect, test } from 'vitest';
import { measuredPercentile, percentileLabel, percentilesOf, tailOf } from './percentiles.ts';
import { subject } from './made-up.ts';

const more = { p50: 82, p99: 140, 'p99.9': 310 };

test('percentiles are told from other figures', () => {
	expect(percentilesOf([subject('orijs', 82, { more: { ...more, pauses: 3 } })])).toEqual(['p50', 'p99', 'p99.9']);
	expect(percentileLabel('p999')).toBe('p99.9');
	expect(percentileLabel('p99')).toBe('p99');
});

test('the percentile that the values are is known by its figures', () => {
	expect(measuredPercentile({ subjects: [subject('orijs', 82, { more })] })).toBe('p50');
	expect(measuredPercentile({ subjects: [subject('orijs', 140, { more })] })).toBe('p99');
	expect(measuredPercentile({ subjects: [subject('orijs', 82, { more: { p99: 140 } })] })).toBe('p50');
	expect(measuredPercentile({ subjects: [subject('orijs', 82)] })).toBeUndefined();
});

test('only what lies beyond the bar is its tail', () => {
	expect(tailOf(subject('orijs', 140, { more }), ['p99', 'p99.9'])).toEqual([{ value: 310, index: 1 }]);
});
