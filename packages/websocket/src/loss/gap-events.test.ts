import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Gap, GAP_HOLD_MS, GapEvents } from './gap-events.ts';
import { RecordingLogger } from '../test-support/recording-logger.ts';

describe('gaps', () => {
	beforeEach(() => void vi.useFakeTimers());
	afterEach(() => void vi.useRealTimers());

	function gapsWithListener(): { gaps: GapEvents; told: Gap[] } {
		const gaps = new GapEvents(new RecordingLogger());
		const told: Gap[] = [];
		gaps.on((gap) => told.push(gap));
		return { gaps, told };
	}

	it('are told once for each topic, after the hold, with all that was said of it meanwhile', () => {
		const { gaps, told } = gapsWithListener();
		gaps.add(['a', 'b'], 100, 200, 'an outage');
		vi.advanceTimersByTime(GAP_HOLD_MS - 1);
		gaps.add(['a'], 50, 150, 'the same, seen by another node');
		expect(told).toEqual([]);
		vi.advanceTimersByTime(1);
		expect(told).toEqual([
			{ topic: 'a', since: 50, until: 200, reason: 'an outage' },
			{ topic: 'b', since: 100, until: 200, reason: 'an outage' },
		]);
	});

	it('are not told again by late news of the same span, but what lies beyond it is', () => {
		const { gaps, told } = gapsWithListener();
		gaps.add(['a'], 100, 200, 'an outage');
		gaps.flush();
		gaps.add(['a'], 120, 200, 'late news');
		vi.advanceTimersByTime(GAP_HOLD_MS);
		expect(told).toHaveLength(1);
		gaps.add(['a'], 120, 201, 'more');
		gaps.add(['b'], 120, 200, 'another topic');
		vi.advanceTimersByTime(GAP_HOLD_MS);
		expect(told.slice(1).map(({ topic, until }) => [topic, until])).toEqual([
			['a', 201],
			['b', 200],
		]);
	});

	it('reach every listener, also past one that throws, until it takes itself away', () => {
		const log = new RecordingLogger();
		const gaps = new GapEvents(log);
		const told: string[] = [];
		gaps.on(() => {
			throw new Error('a listener of its own kind');
		});
		const off = gaps.on(({ topic }) => told.push(topic));
		gaps.add(['a'], 1, 2, 'x');
		gaps.flush();
		off();
		gaps.add(['b'], 3, 4, 'x');
		gaps.flush();
		expect(told).toEqual(['a']);
		expect(log.complaints.filter(({ level }) => level === 'error')).toHaveLength(2);
	});

	it('that are held back are told at the end, and leave no timer', () => {
		const { gaps, told } = gapsWithListener();
		gaps.add(['a'], 1, 2, 'x');
		gaps.close();
		expect(told).toHaveLength(1);
		expect(vi.getTimerCount()).toBe(0);
	});
});
