import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LONG_AGO, localTime } from '../connection/server-time.ts';
import { gapBetween } from './gap-span.ts';

const NOW = 10_000_000;

beforeEach(() => vi.useFakeTimers({ now: NOW }));
afterEach(() => vi.useRealTimers());

test.each([
	['ten seconds ahead', 10_000],
	['ten seconds behind', -10_000],
	['the same', 0],
])('covers the time between by the clocks of both servers, of which the former is %s', (_, ahead) => {
	const last = { timestamp: NOW + ahead, askedAt: localTime() };
	vi.advanceTimersByTime(4_000);
	const { since, until } = gapBetween('t', last, { timestamp: NOW + 4_000 });

	// The times of messages by the clocks of the former and the current server, from right after the reading until now.
	for (const time of [NOW + ahead, NOW + ahead + 4_000, NOW, NOW + 4_000]) {
		expect(since).toBeLessThanOrEqual(time);
		expect(until).toBeGreaterThanOrEqual(time);
	}
});

test('covers a clock that was set back between', () => {
	const last = { timestamp: NOW, askedAt: localTime() };
	vi.advanceTimersByTime(4_000);
	const hourBack = NOW + 4_000 - 3_600_000;
	const { since, until } = gapBetween('t', last, { timestamp: hourBack });

	expect(since).toBeLessThanOrEqual(hourBack - 4_000);
	expect(until).toBeGreaterThanOrEqual(NOW);
});

test('covers everything up to now from a position of unknown age', () => {
	expect(gapBetween('t', LONG_AGO, { timestamp: NOW })).toEqual({ topic: 't', since: 0, until: NOW });
});

test.each([
	['the former', { behindMs: 60_000, aheadMs: 30_000 }, {}],
	['the present', {}, { behindMs: 60_000, aheadMs: 30_000 }],
])('covers the clocks of the servers that %s server knows', (_, known, knownNow) => {
	const last = { timestamp: NOW, ...known, askedAt: localTime() };
	vi.advanceTimersByTime(4_000);
	const { since, until } = gapBetween('t', last, { timestamp: NOW + 4_000, ...knownNow });

	expect(since).toBeLessThanOrEqual(NOW - 60_000);
	expect(until).toBeGreaterThanOrEqual(NOW + 4_000 + 30_000);
});

test('covers the time by which a server lagged behind the others', () => {
	const last = { timestamp: NOW, lagMs: 20_000, askedAt: localTime() };
	vi.advanceTimersByTime(4_000);
	const { since, until } = gapBetween('t', last, { timestamp: NOW + 604_000 });

	// By the clock of the former server, and by that of the present one, which is ten minutes ahead.
	expect(since).toBeLessThanOrEqual(NOW - 20_000);
	expect(until).toBeGreaterThanOrEqual(NOW + 604_000);
	expect(gapBetween('t', last, { timestamp: NOW - 596_000 }).since).toBeLessThanOrEqual(NOW - 620_000);
});
