import { expect, it } from 'vitest';
import { Stalls } from './stalls.ts';

/** The tick of the stalls in these tests, in milliseconds. */
const TICK_MS = 10;

/** Returns stalls with ticks at these times, in milliseconds. */
function tickedAt(...times: readonly number[]): Stalls {
	const stalls = new Stalls(TICK_MS, 0);
	for (const time of times) stalls.ticked(time);
	return stalls;
}

it('a stall is known before the tick that comes late, and for five seconds after it', () => {
	const stalls = tickedAt(10, 20);
	expect([stalls.recentMs(130), stalls.recentMs(1_020)]).toEqual([0, 1_000]);

	for (let time = 1_020; time <= 6_020; time += TICK_MS) {
		stalls.ticked(time);
		expect([time, stalls.recentMs(time)]).toEqual([time, 1_000]);
	}
	stalls.ticked(6_030);
	expect(stalls.recentMs(6_030)).toBe(0);
});

it('a shorter stall neither hides a longer one nor makes it last', () => {
	const stalls = tickedAt(1_000, 1_300);
	expect(stalls.recentMs(1_300)).toBe(1_000);
	for (let time = 1_300; time <= 6_010; time += TICK_MS) stalls.ticked(time);
	expect(stalls.recentMs(6_010)).toBe(0);
});

it('a longer stall counts in place of a shorter one', () => {
	expect(tickedAt(300, 1_300).recentMs(1_300)).toBe(1_000);
});

it('a time without ticks is no stall', () => {
	const stalls = tickedAt(10);
	stalls.begin(60_000);
	stalls.ticked(60_010);
	expect(stalls.recentMs(60_010)).toBe(0);
});
