import { expect, test } from 'vitest';
import { linearScale, linearTicks, logScale, logTicks } from './scale.ts';

test('a linear scale keeps proportions', () => {
	const scale = linearScale([0, 50], [100, 200]);
	expect([0, 10, 50].map(scale)).toEqual([100, 120, 200]);
});

test('a logarithmic scale gives equal factors equal lengths, also upwards', () => {
	const scale = logScale([1, 100], [200, 0]);
	expect(scale(1)).toBeCloseTo(200);
	expect(scale(10)).toBeCloseTo(100);
	expect(scale(100)).toBeCloseTo(0);
});

test('a scale of one value puts it into the middle', () => {
	expect(linearScale([7, 7], [0, 10])(7)).toBe(5);
	expect(logScale([7, 7], [0, 10])(7)).toBe(5);
});

test('linear ticks go from zero to the first round step that covers the largest value', () => {
	expect(linearTicks(2.4, 1)).toEqual([0, 1, 2, 3]);
	expect(linearTicks(100, 1)).toEqual([0, 25, 50, 75, 100]);
	expect(linearTicks(0, 1)).toEqual([0, 1]);
});

test('linear ticks are round in the unit that they are written in', () => {
	expect(linearTicks(3.5 * 1024, 1024)).toEqual([0, 1024, 2048, 3072, 4096]);
});

test('logarithmic ticks are 1, 2 and 5 of each power of ten where there is room for them', () => {
	expect(logTicks([0.9, 60], [1])).toEqual([1, 2, 5, 10, 20, 50]);
	expect(logTicks([0.9, 20_000], [1])).toEqual([1, 10, 100, 1000, 10_000]);
	expect(logTicks([0.04, 3], [1]).map((tick) => tick.toPrecision(1))).toEqual(['0.05', '0.1', '0.2', '0.5', '1', '2']);
});

test('logarithmic ticks of bytes go over to the next unit at 1024', () => {
	expect(logTicks([90, 200_000], [1, 1024])).toEqual([100, 1024, 10_240, 102_400]);
});
