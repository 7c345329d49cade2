import { RecordingLogger } from '@orijs/testkit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Gap, GAP_HOLD_MS, GapEvents } from './gap-events.ts';

describe('gaps', () => {
	beforeEach(() => void vi.useFakeTimers());
	afterEach(() => void vi.useRealTimers());

	function gapsWithListener(): { gaps: GapEvents; reported: Gap[] } {
		const gaps = new GapEvents(new RecordingLogger());
		const reported: Gap[] = [];
		gaps.on((gap) => reported.push(gap));
		return { gaps, reported };
	}

	it('are reported once per topic, after the hold, with everything learned meanwhile', () => {
		const { gaps, reported } = gapsWithListener();
		gaps.add(['a', 'b'], 100, 200, 'an outage');
		vi.advanceTimersByTime(GAP_HOLD_MS - 1);
		gaps.add(['a'], 50, 150, 'the same, noticed by another node');
		expect(reported).toEqual([]);
		vi.advanceTimersByTime(1);
		expect(reported).toEqual([
			{ topic: 'a', since: 50, until: 200, reason: 'an outage' },
			{ topic: 'b', since: 100, until: 200, reason: 'an outage' },
		]);
	});

	it('are not repeated for late reports of the same span, but extended beyond it', () => {
		const { gaps, reported } = gapsWithListener();
		const endedAt = performance.now();
		gaps.add(['a'], 100, 200, 'an outage', endedAt);
		gaps.flush();
		gaps.add(['a'], 120, 200, 'a late report', endedAt);
		vi.advanceTimersByTime(GAP_HOLD_MS);
		expect(reported).toHaveLength(1);
		gaps.add(['a'], 120, 201, 'more', endedAt);
		gaps.add(['b'], 120, 200, 'another topic', endedAt);
		vi.advanceTimersByTime(GAP_HOLD_MS);
		expect(reported.slice(1).map(({ topic, until }) => [topic, until])).toEqual([
			['a', 201],
			['b', 200],
		]);
	});

	it('cover no loss that came after them, although clocks that are ahead make them end in the future', () => {
		const { gaps, reported } = gapsWithListener();
		gaps.add(['a'], 100, 1_000_000, 'an outage');
		gaps.flush();
		vi.advanceTimersByTime(5_000);
		gaps.add(['a'], 5_000, 6_000, 'another outage');
		vi.advanceTimersByTime(GAP_HOLD_MS);
		expect(reported.map(({ reason }) => reason)).toEqual(['an outage', 'another outage']);
	});

	it('reach every listener, even after one that throws, until it is removed', () => {
		const log = new RecordingLogger();
		const gaps = new GapEvents(log);
		const reported: string[] = [];
		gaps.on(() => {
			throw new Error('listener failed');
		});
		const off = gaps.on(({ topic }) => reported.push(topic));
		gaps.add(['a'], 1, 2, 'x');
		gaps.flush();
		off();
		gaps.add(['b'], 3, 4, 'x');
		gaps.flush();
		vi.advanceTimersByTime(1_000);
		expect(reported).toEqual(['a']);
		expect(log.errors.map(({ message, details }) => [message, details?.['topic'], details?.['count']])).toEqual([
			['WebSocket failure (onGap): listener failed', 'a', undefined],
			['WebSocket failures (onGap): Error', undefined, 1],
		]);
	});

	it.each([
		[['a'], 'topic a'],
		[['a', 'b'], '2 topics, including a'],
	])('of the topics %j are logged as those in %s', (topics, where) => {
		const log = new RecordingLogger();
		const gaps = new GapEvents(log);
		gaps.add(topics, 1, 2, 'x');
		gaps.flush();
		expect(log.lines).toEqual([
			{
				level: 'warn',
				message: `Messages may be missing in ${where}`,
				details: { topic: 'a', since: 1, until: 2, reason: 'x' },
			},
		]);
	});

	it('are forgotten half a minute after they were reported, even without a further gap', () => {
		const { gaps, reported } = gapsWithListener();
		const endedAt = performance.now();
		for (let i = 0; i < 100; i++) gaps.add([`t${i}`], 100, 200, 'an outage', endedAt);
		gaps.flush();
		vi.advanceTimersByTime(28_000);
		gaps.add(['t1'], 100, 200, 'a late report', endedAt);
		vi.advanceTimersByTime(GAP_HOLD_MS);
		expect(reported).toHaveLength(100);
		expect(vi.getTimerCount()).toBe(1);
		vi.advanceTimersByTime(2_000);
		expect(vi.getTimerCount()).toBe(0);
	});

	it('that are held are reported on close, and leave no timer', () => {
		const { gaps, reported } = gapsWithListener();
		gaps.add(['a'], 1, 2, 'x');
		gaps.close();
		expect(reported).toHaveLength(1);
		// The timer that remains belongs to the log throttle. It ends by itself.
		vi.advanceTimersByTime(1_000);
		expect(vi.getTimerCount()).toBe(0);
	});
});
