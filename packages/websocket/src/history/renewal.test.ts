import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RENEWAL_MS, Renewal } from './renewal.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Topics that count their renewals. */
function topics(count: number): { readonly all: Map<string, { renew(): Promise<void> }>; readonly counts: number[] } {
	const counts = Array.from({ length: count }, () => 0);
	const all = new Map(
		counts.map((_, i) => [
			`t${i}`,
			{
				renew: () => {
					counts[i]!++;
					return i % 2 === 0 ? Promise.resolve() : Promise.reject(new Error('not readable'));
				},
			},
		]),
	);
	return { all, counts };
}

it.each([1, 7, 3_600, 10_000])('renews each of %i topics once an hour, including those that fail', (count) => {
	const { all, counts } = topics(count);
	const renewal = new Renewal(all);
	renewal.start();
	renewal.start();
	for (const hours of [1, 2, 3]) {
		vi.advanceTimersByTime(RENEWAL_MS + 1_000);
		expect(Math.min(...counts)).toBeGreaterThanOrEqual(hours);
		expect(Math.max(...counts)).toBeLessThanOrEqual(hours + 1);
	}
	renewal.stop();
});

it('spreads the renewals over the hour', () => {
	const { all, counts } = topics(36_000);
	const renewal = new Renewal(all);
	renewal.start();
	for (let second = 1; second <= 100; second++) {
		vi.advanceTimersByTime(1_000);
		expect(Math.abs(counts.reduce((sum, n) => sum + n, 0) - 10 * second)).toBeLessThanOrEqual(1);
	}
	renewal.stop();
});

it('does nothing without topics, and follows topics that come and go', () => {
	const { all, counts } = topics(2);
	const [[name, topic]] = all as unknown as [[string, { renew(): Promise<void> }]];
	all.delete(name);
	const renewal = new Renewal(all);
	renewal.start();
	vi.advanceTimersByTime(RENEWAL_MS + 1_000);
	expect(counts).toEqual([0, 1]);
	all.clear();
	vi.advanceTimersByTime(RENEWAL_MS);
	all.set(name, topic);
	vi.advanceTimersByTime(RENEWAL_MS + 1_000);
	expect(counts).toEqual([1, 1]);
	renewal.stop();
	expect(vi.getTimerCount()).toBe(0);
});
