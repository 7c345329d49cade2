import { describe, expect, it } from 'vitest';
import { BeatMode } from './beat-mode.ts';

/** Returns whether beats are collected after each number of nodes, one per second. */
function course(above: number, counts: readonly number[]): boolean[] {
	const mode = new BeatMode(above);
	return counts.map((count, second) => {
		mode.update(count, second * 1_000);
		return mode.isCollected;
	});
}

describe('beats are collected', () => {
	it('above the given number of nodes', () => {
		expect(course(4, [1, 4, 5, 5])).toEqual([false, false, true, true]);
		expect(course(1, [1, 2])).toEqual([false, true]);
		expect(course(Infinity, [1, 1_000])).toEqual([false, false]);
	});

	it('until there have been at most three quarters as many for ten seconds', () => {
		const low = [5, ...Array.from({ length: 11 }, () => 3)];
		expect(course(4, low).indexOf(false)).toBe(11);
		expect(course(4, [...low.slice(0, 8), 4, ...low.slice(1, 11)])).not.toContain(false);
		expect(course(4, [5, ...Array.from({ length: 30 }, () => 4)])).not.toContain(false);
	});

	it('from the start, if the backend lists more nodes', () => {
		const mode = new BeatMode(4);
		mode.listed(5, 0);
		expect(mode.isCollected).toBe(true);
		// The others are not known yet.
		for (let second = 0; second <= 15; second++) mode.update(1, second * 1_000);
		expect(mode.isCollected).toBe(true);
		for (let second = 16; second <= 27; second++) mode.update(1, second * 1_000);
		expect(mode.isCollected).toBe(false);
	});
});
