import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RecentLosses } from './recent-losses.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('remembers each topic for 15 s after its last loss, and no longer', () => {
	const losses = new RecentLosses();
	losses.add('once');
	losses.add('twice');
	vi.advanceTimersByTime(10_000);
	losses.add('twice');
	vi.advanceTimersByTime(5_100);
	expect([losses.has('once'), losses.has('twice'), losses.has('never')]).toEqual([false, true, false]);
	vi.advanceTimersByTime(10_000);
	expect([losses.has('twice'), vi.getTimerCount()]).toEqual([false, 0]);
});
