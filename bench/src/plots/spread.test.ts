import { expect, test } from 'vitest';
import { spread } from './spread.ts';

test('what is far enough apart stays where it is', () => {
	expect(spread([10, 50, 90], 20, [0, 100])).toEqual([10, 50, 90]);
});

test('what is too near moves apart to both sides, in its order', () => {
	expect(spread([52, 48], 20, [0, 100])).toEqual([60, 40]);
});

test('nothing moves out of bounds', () => {
	expect(spread([1, 2, 100], 20, [0, 100])).toEqual([0, 20, 100]);
	expect(spread([99, 98], 20, [0, 100])).toEqual([100, 80]);
});

test('those moved together push others along', () => {
	expect(spread([40, 40, 55], 20, [0, 100])).toEqual([25, 45, 65]);
});
