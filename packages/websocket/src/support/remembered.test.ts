import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Remembered } from './remembered.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('forgets each entry by itself, after its time and not before', () => {
	const remembered = new Remembered<number>(1_000);
	remembered.set('a', 1);
	vi.advanceTimersByTime(600);
	remembered.set('b', 2);
	vi.advanceTimersByTime(400);
	expect([remembered.get('a'), remembered.get('b'), remembered.size]).toEqual([1, 2, 2]);
	vi.advanceTimersByTime(10);
	expect([remembered.get('a'), remembered.get('b'), remembered.size]).toEqual([undefined, 2, 1]);
	vi.advanceTimersByTime(600);
	expect([remembered.size, vi.getTimerCount()]).toEqual([0, 0]);
});

it('remembers an entry for the full time when it is set again', () => {
	const remembered = new Remembered<number>(1_000);
	for (const value of [1, 2]) {
		remembered.set('a', value);
		vi.advanceTimersByTime(600);
	}
	expect(remembered.get('a')).toBe(2);
	vi.advanceTimersByTime(410);
	expect([remembered.get('a'), remembered.size]).toEqual([undefined, 0]);
});

it('has no timer after clear', () => {
	const remembered = new Remembered<number>(1_000);
	remembered.set('a', 1);
	remembered.clear();
	expect([remembered.get('a'), remembered.size, vi.getTimerCount()]).toEqual([undefined, 0, 0]);
});
