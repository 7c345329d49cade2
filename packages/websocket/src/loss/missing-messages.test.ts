import { RecordingLogger } from '@orijs/testkit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Beat } from '../wire/frame.ts';
import { type Gap, GapEvents } from './gap-events.ts';
import { MissingMessages } from './missing-messages.ts';
import { PeerBeats } from './peer-beats.ts';

const HERE = 1;
const THERE = { origin: 2, shard: 0, incarnation: 0 };
const NOW = 1_000_000;
const MINUTE = 60_000;

beforeEach(() => vi.useFakeTimers({ now: NOW }));
afterEach(() => vi.useRealTimers());

interface Fixture {
	readonly missing: MissingMessages;
	/** Has a beat of the other node arrive now. */
	beat(number: number, sentAt: number): void;
	gaps(): Gap[];
}

function createMissing(): Fixture {
	const gaps = new GapEvents(new RecordingLogger());
	const reported: Gap[] = [];
	gaps.on((gap) => reported.push(gap));
	const missing = new MissingMessages({
		origin: HERE,
		channels: { live: () => ['t'], isLive: (channel) => channel === 't' },
		peers: new PeerBeats(),
		gaps,
		liveness: undefined,
		heartbeat: undefined,
		histories: undefined,
		onError: () => {},
		onNewNode: () => {},
	});
	return {
		missing,
		beat: (number, sentAt) =>
			missing.beats.received('!', {
				type: 'beat',
				...THERE,
				number,
				intervalMs: 500,
				sentAt,
				isLast: false,
				sharedFrom: 1,
				endsShared: false,
				pauseMs: 500,
				run: 1,
				counts: { connections: 0, topics: 0 },
				skews: { least: 0, most: 0 },
			} satisfies Beat),
		gaps: () => {
			gaps.close();
			return reported;
		},
	};
}

function covers(gaps: readonly Gap[], ...times: number[]): boolean {
	return times.every((time) => gaps.some(({ since, until }) => since <= time && time <= until));
}

describe('a gap notice of another node', () => {
	const notice = (since: number, until: number, sentAt: number) =>
		({ type: 'gap', ...THERE, everything: false, stored: false, misled: false, since, until, sentAt }) as const;

	it.each([0, 700, 5_000])('covers the span by the clock of that node, %i ms after it was sent', (delay) => {
		const { missing, gaps } = createMissing();
		missing.gapNotice('t', notice(NOW - 3_000, NOW - 2_000, NOW - delay));

		expect(covers(gaps(), NOW - 3_000, NOW - 2_000)).toBe(true);
	});

	it.each([
		['ahead', 5 * MINUTE],
		['behind', -5 * MINUTE],
	])('covers the span by both clocks if that of the node is minutes %s', (_, ahead) => {
		const { missing, beat, gaps } = createMissing();
		beat(1, NOW + ahead - 5);
		missing.gapNotice('t', notice(NOW + ahead - 3_000, NOW + ahead - 2_000, NOW + ahead - 700));

		expect(covers(gaps(), NOW + ahead - 3_000, NOW + ahead - 2_000, NOW - 3_000, NOW - 2_000)).toBe(true);
	});

	it('is not much wider than the span if the clocks agree', () => {
		const { missing, beat, gaps } = createMissing();
		beat(1, NOW - 5);
		missing.gapNotice('t', notice(NOW - 3_000, NOW - 2_000, NOW - 10));
		const [gap] = gaps();

		expect(gap?.since).toBeGreaterThanOrEqual(NOW - 3_300);
		expect(gap?.until).toBeLessThanOrEqual(NOW - 1_900);
	});
});

describe('an interruption', () => {
	it.each([
		['ahead', 5 * MINUTE],
		['behind', -5 * MINUTE],
	])('covers what a node stamped whose clock is minutes %s', (_, ahead) => {
		const { missing, beat, gaps } = createMissing();
		beat(1, NOW + ahead - 20);
		missing.interrupted('all', NOW - 1_000, 'connection lost');

		expect(covers(gaps(), NOW - 1_000, NOW, NOW + ahead - 1_000, NOW + ahead)).toBe(true);
	});
});

describe('beats of another node that were missed', () => {
	it.each([
		['is minutes ahead', 5 * MINUTE, 5 * MINUTE],
		['is minutes behind', -5 * MINUTE, -5 * MINUTE],
		['was set back meanwhile', 0, -60 * MINUTE],
		['was set forward meanwhile', 0, 60 * MINUTE],
	])('are a gap since the last one by the clock of that node, which %s', (_, before, after) => {
		const { beat, gaps } = createMissing();
		beat(1, NOW + before);
		vi.advanceTimersByTime(3_000);
		beat(7, NOW + 3_000 + after);

		expect(covers(gaps(), NOW, NOW + 3_000, NOW + before, NOW + after, NOW + 3_000 + after)).toBe(true);
	});

	it.each([0, 700, 5_000])('are a gap since the last one was sent, %i ms before it arrived', (delay) => {
		const { beat, gaps } = createMissing();
		beat(1, NOW - 6_000);
		vi.advanceTimersByTime(500);
		beat(2, NOW + 500 - delay);
		vi.advanceTimersByTime(3_000);
		beat(7, NOW + 3_500);

		expect(covers(gaps(), NOW + 500 - delay, NOW + 3_500)).toBe(true);
	});
});

it('an interruption in which this node’s clock was set back covers the clocks of the others', () => {
	const { missing, beat, gaps } = createMissing();
	beat(1, NOW - 20);
	vi.advanceTimersByTime(1_000);
	vi.setSystemTime(NOW - 60 * MINUTE);
	missing.interrupted('all', NOW + 500, 'connection lost');

	expect(covers(gaps(), NOW + 500, NOW + 1_000)).toBe(true);
});

it('a frame of another release is a gap of its topic', () => {
	const { missing, gaps } = createMissing();
	missing.unreadable('t');

	expect(gaps()).toMatchObject([{ topic: 't' }]);
	expect(covers(gaps(), NOW)).toBe(true);
});
