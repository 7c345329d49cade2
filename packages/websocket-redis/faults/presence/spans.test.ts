import { expect, it } from 'vitest';
import { between, intersection, uncovered, union } from './spans.ts';

const span = (from: number, until: number) => ({ from, until });

it('joins spans that overlap or touch', () => {
	expect(union([span(5, 7), span(1, 2), span(2, 3), span(6, Infinity), span(4, 4)])).toEqual([
		span(1, 3),
		span(5, Infinity),
	]);
});

it('finds what is free', () => {
	expect(between([])).toEqual([span(-Infinity, Infinity)]);
	expect(between([span(1, 3), span(5, Infinity)])).toEqual([span(-Infinity, 1), span(3, 5)]);
	expect(uncovered(span(0, 10), [span(4, 6), span(-1, 1), span(5, 7)])).toEqual([span(1, 4), span(7, 10)]);
});

it('intersects spans', () => {
	expect(intersection(span(0, 5), span(3, 9))).toEqual(span(3, 5));
	expect(intersection(span(0, 5), span(5, 9))).toBeUndefined();
});
