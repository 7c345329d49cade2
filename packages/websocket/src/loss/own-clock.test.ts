import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { OwnClock } from './own-clock.ts';

const NOW = 10_000_000;
const HOUR = 3_600_000;

beforeEach(() => vi.useFakeTimers({ now: NOW }));
afterEach(() => vi.useRealTimers());

it('knows the settings that held since a time', () => {
	const clock = new OwnClock();
	const offset = NOW - performance.now();
	const before = performance.now();
	vi.advanceTimersByTime(1_000);
	vi.setSystemTime(Date.now() - HOUR);
	expect(clock.check()).toBe(-HOUR);
	expect(clock.check()).toBe(0);
	vi.advanceTimersByTime(1_000);
	const between = performance.now();
	vi.advanceTimersByTime(1_000);
	vi.setSystemTime(Date.now() + 2 * HOUR);

	expect(clock.settingsSince(before)).toEqual({ least: offset - HOUR, most: offset + HOUR });
	expect(clock.settingsSince(between)).toEqual({ least: offset - HOUR, most: offset + HOUR });
	vi.advanceTimersByTime(1_000);
	expect(clock.settingsSince(performance.now())).toEqual({ least: offset + HOUR, most: offset + HOUR });
});

it('takes what disciplines a clock for no setting', () => {
	const clock = new OwnClock();
	vi.setSystemTime(NOW + 20);
	expect(clock.check()).toBe(0);
});

it('takes it for no setting if this thread was suspended between the looks at the two clocks', () => {
	const clock = new OwnClock();
	const offset = NOW - performance.now();
	const read = vi.spyOn(Date, 'now').mockReturnValueOnce(NOW - 300);
	expect(clock.check()).toBe(0);
	expect(read).toHaveBeenCalledTimes(2);
	read.mockRestore();
	expect(clock.settingsSince(performance.now())).toEqual({ least: offset, most: offset });
});
