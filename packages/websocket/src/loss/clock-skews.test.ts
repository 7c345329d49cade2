import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Beat } from '../wire/frame.ts';
import { ClockSkews } from './clock-skews.ts';

const NOW = 10_000_000;
const HOUR = 3_600_000;
const [A, B] = [1, 2];

const beat = (origin: number, sentAt: number, { shard = 0, skews = { least: 0, most: 0 } } = {}): Beat => ({
	type: 'beat',
	origin,
	shard,
	incarnation: 0,
	number: 1,
	intervalMs: 500,
	sentAt,
	isLast: false,
	sharedFrom: 1,
	endsShared: false,
	pauseMs: 500,
	run: 1,
	counts: { connections: 0, topics: 0 },
	skews,
});

beforeEach(() => vi.useFakeTimers({ now: NOW }));
afterEach(() => vi.useRealTimers());

describe('the skew of a node', () => {
	it('is unknown before its first beat', () => {
		expect(new ClockSkews().of(A)).toBeUndefined();
	});

	it('is the smallest difference that its beats show, so that delays count as little as possible', () => {
		const skews = new ClockSkews();
		for (const delay of [700, 3, 40]) {
			skews.observe(beat(A, Date.now() - HOUR - delay));
			vi.advanceTimersByTime(500);
		}

		expect(skews.of(A)).toBe(HOUR + 3);
	});

	it('is learned again once its clock is set back', () => {
		const skews = new ClockSkews();
		skews.observe(beat(A, Date.now() - 5));
		vi.advanceTimersByTime(500);
		skews.observe(beat(A, Date.now() - HOUR - 5));

		expect(skews.of(A)).toBe(HOUR + 5);
	});

	it('is not confused by a beat that is late on another shard', () => {
		const skews = new ClockSkews();
		skews.observe(beat(A, Date.now() - 5));
		skews.observe(beat(A, Date.now() - 900, { shard: 1 }));

		expect(skews.of(A)).toBe(5);
	});

	it('follows its clock that is set forward', () => {
		const skews = new ClockSkews();
		skews.observe(beat(A, Date.now() - 5));
		vi.advanceTimersByTime(500);
		skews.observe(beat(A, Date.now() + HOUR - 5));

		expect(skews.of(A)).toBe(5 - HOUR);
	});

	it.each([HOUR, -HOUR])("moves by %i ms with this node's own clock, without another beat", (step) => {
		const skews = new ClockSkews();
		skews.observe(beat(A, Date.now() - 5));
		vi.setSystemTime(Date.now() + step);

		expect(skews.of(A)).toBe(step + 5);
	});
});

it('the range spans all nodes and this one', () => {
	const skews = new ClockSkews();
	expect(skews.range()).toEqual({ least: 0, most: 0 });
	skews.observe(beat(A, Date.now() - HOUR));
	skews.observe(beat(B, Date.now() + 1_000));

	expect(skews.range()).toEqual({ least: -1_000, most: HOUR });
});

it('the range includes the clocks that only other nodes have received beats of', () => {
	const skews = new ClockSkews();
	skews.observe(beat(A, Date.now() - 300, { skews: { least: -HOUR, most: 2 * HOUR } }));
	expect(skews.range()).toEqual({ least: 300 - HOUR, most: 300 + 2 * HOUR });
	expect(skews.observed()).toEqual({ least: 0, most: 300 });
	skews.observe(beat(A, Date.now() - 300));
	expect(skews.range()).toEqual({ least: 0, most: 300 });
});

describe('the first skews of a clock that is far ahead', () => {
	it.each(['seen', 'set'])('may be too large by the delay of a beat: just %s', (how) => {
		const skews = new ClockSkews();
		if (how === 'set') skews.observe(beat(A, Date.now()));
		vi.advanceTimersByTime(10_000);
		skews.observe(beat(A, Date.now() + HOUR));
		expect(skews.range().least).toBe(-HOUR - 10_000);
		expect(skews.of(A)).toBe(-HOUR);
		vi.advanceTimersByTime(5_001);
		expect(skews.range().least).toBe(-HOUR);
	});

	it('are not widened if it is ahead no further than synchronized clocks are', () => {
		const skews = new ClockSkews();
		skews.observe(beat(A, Date.now() + 1_000));
		expect(skews.range().least).toBe(-1_000);
	});
});

describe('after a clock was set, the range includes its skew before, for a minute', () => {
	it.each([HOUR, -HOUR])('that of another node, set by %i ms', (step) => {
		const skews = new ClockSkews();
		skews.observe(beat(A, Date.now()));
		vi.advanceTimersByTime(500);
		skews.observe(beat(A, Date.now() + step));
		const [least, most] = step < 0 ? [0, HOUR] : [-HOUR, 0];
		vi.advanceTimersByTime(5_001);
		expect(skews.range()).toEqual({ least, most });
		vi.advanceTimersByTime(55_000);
		skews.observe(beat(A, Date.now() + step - 2 * step));
		vi.advanceTimersByTime(5_001);
		expect(skews.range()).toEqual({ least: -HOUR, most: HOUR });
	});

	it.each([HOUR, -HOUR])('that of this node, set by %i ms', (step) => {
		const skews = new ClockSkews();
		vi.setSystemTime(Date.now() + step);
		expect(skews.range()).toEqual(step > 0 ? { least: 0, most: HOUR } : { least: -HOUR, most: 0 });
		vi.advanceTimersByTime(60_001);
		expect(skews.range()).toEqual({ least: 0, most: 0 });
	});
});

it('forgets nodes that are gone when new ones come', () => {
	const skews = new ClockSkews();
	skews.observe(beat(A, Date.now()));
	vi.advanceTimersByTime(600_001);
	skews.observe(beat(B, Date.now()));

	expect(skews.of(A)).toBeUndefined();
});
