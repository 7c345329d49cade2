import { describe, expect, it } from 'vitest';
import { allBut, BACK, FROM, runWith } from './run-fixture.ts';
import { judge } from './verdict.ts';

describe('the verdict on a run', () => {
	it('counts deliveries on both sides, and finds nothing where nothing is wrong', () => {
		expect(judge(runWith())).toEqual({
			sent: { total: 10, rejected: 0, pending: 0 },
			local: { expected: 10, delivered: 10, missing: 0, maxLatencyMs: 1 },
			remote: {
				expected: 10,
				delivered: 10,
				missing: 0,
				maxLatencyMs: 1,
				reported: 0,
				silent: { count: 0, examples: [] },
			},
			duplicates: 0,
			inversions: 0,
			strays: 0,
			lateDeliveries: 0,
			gaps: {
				events: 0,
				mostPerTopic: 0,
				earliestMs: 0,
				unreported: { count: 0, examples: [] },
				wrong: { count: 0, examples: [] },
			},
			recoveryMs: 0,
		});
	});

	it('tells a loss inside a gap from one outside, by time', () => {
		// Published at 10,100, 10,300 and 11,100; the gap ends at 11,000.
		const { remote } = judge(runWith({ remote: allBut(3, 4, 8), gaps: [{}] }));
		expect(remote).toMatchObject({ expected: 10, delivered: 7, missing: 3, reported: 2 });
		expect(remote.silent).toEqual({
			count: 1,
			examples: [
				'1 from a to b1 on room, numbers 8 (accepted) to 8 (accepted), published 1100 to 1100 ms into the fault; ' +
					'gaps reported there: 0..1000',
			],
		});
	});

	it('counts both ends of a gap as inside it', () => {
		const gaps = [{ since: 10_100, until: 10_300 }];
		expect(judge(runWith({ remote: allBut(3, 4), gaps })).remote.silent.count).toBe(0);
	});

	it.each([
		['of another topic', { topic: 'other' }],
		['of another node', { node: 'a' }],
		['of broadcasts and direct messages', { topic: '*' }],
	])('does not let a gap %s excuse a loss', (_, gap) => {
		expect(judge(runWith({ remote: allBut(4), gaps: [gap] })).remote.silent.count).toBe(1);
	});

	it.each(['*', '@b1'])('lets a gap on * excuse a loss on %s', (channel) => {
		const run = runWith({ channel, remote: allBut(4), gaps: [{ topic: '*' }] });
		expect(judge(run)).toMatchObject({ remote: { reported: 1, silent: { count: 0 } }, gaps: { wrong: { count: 0 } } });
	});

	it('counts a rejected publish that did not arrive as missing, and one that did as late', () => {
		const run = runWith({ remote: allBut(3), outcomes: { 3: 'rejected', 4: 'rejected', 9: 'pending' } });
		expect(judge(run)).toMatchObject({
			sent: { total: 10, rejected: 2, pending: 1 },
			remote: { missing: 1, silent: { count: 1 } },
			lateDeliveries: 1,
		});
	});

	it('counts what the publishing node itself lost apart; no gap excuses it', () => {
		const run = runWith({ local: allBut(4, 5), gaps: [{ node: 'a' }] });
		expect(judge(run)).toMatchObject({ local: { delivered: 8, missing: 2 }, remote: { missing: 0 } });
	});

	it('measures the slowest delivery on the same node', () => {
		expect(judge(runWith({ localLatency: 700 })).local.maxLatencyMs).toBe(700);
	});

	it('measures the slowest delivery to another node, of messages that were accepted', () => {
		expect(judge(runWith({ remoteLatency: 700 })).remote.maxLatencyMs).toBe(700);
		const outcomes = Object.fromEntries(allBut().map((number) => [number, 'rejected' as const]));
		expect(judge(runWith({ remoteLatency: 700, outcomes })).remote.maxLatencyMs).toBe(0);
	});

	it('counts duplicates', () => {
		const { duplicates, inversions, remote } = judge(runWith({ remote: [0, 1, 1, ...allBut(0, 1), 1] }));
		expect({ duplicates, inversions, delivered: remote.delivered }).toEqual({
			duplicates: 2,
			inversions: 0,
			delivered: 10,
		});
	});

	it('counts inversions, also behind a hole', () => {
		const run = runWith({ remote: [0, 2, 1, 8, 5, 9], gaps: [{ since: 9_500, until: BACK }] });
		expect(judge(run)).toMatchObject({ inversions: 2, duplicates: 0, remote: { delivered: 6, missing: 4 } });
	});

	it('counts strays: numbers, publishers and channels that are not for the client', () => {
		expect(judge(runWith({ remote: [...allBut(), 10, Number.NaN] })).strays).toBe(2);
		expect(judge(runWith({ extra: { '@a1': [0, 1] } })).strays).toBe(2);
	});

	it('expects of a client nothing that was published before it was there', () => {
		const { remote } = judge(runWith({ remote: allBut(0, 1, 2, 3), since: 10_300 }));
		expect(remote).toMatchObject({ expected: 6, delivered: 6, missing: 0 });
	});

	it('measures recovery by the last loss', () => {
		expect(judge(runWith({ remote: allBut(4, 8) })).recoveryMs).toBe(100);
		expect(judge(runWith({ remote: allBut(4) })).recoveryMs).toBe(0);
	});
});

describe('the verdict on gap events', () => {
	const wrong = (run: Parameters<typeof judge>[0]): string[] => judge(run).gaps.wrong.examples;

	it('accepts one on a topic that may have missed something', () => {
		expect(judge(runWith({ gaps: [{}] })).gaps).toMatchObject({ events: 1, mostPerTopic: 1, wrong: { count: 0 } });
	});

	it('takes one on an untouched topic that missed nothing for a false alarm', () => {
		const exposure = () => 'untouched' as const;
		expect(wrong(runWith({ gaps: [{}], exposure }))).toEqual([expect.stringContaining('false alarm')]);
		expect(wrong(runWith({ gaps: [{}], exposure, remote: allBut(4) }))).toEqual([]);
	});

	it('has no use for one on a topic that must be whole, loss or not', () => {
		const exposure = () => 'whole' as const;
		expect(wrong(runWith({ gaps: [{}], exposure }))).toEqual([expect.stringContaining('false alarm')]);
		expect(wrong(runWith({ gaps: [{}], exposure, remote: allBut(4) }))).toEqual([
			expect.stringContaining('a loss where nothing could be lost'),
		]);
	});

	it('wants one on every interrupted topic, loss or not', () => {
		const exposure = (node: string) => (node === 'b' ? ('interrupted' as const) : ('untouched' as const));
		expect(judge(runWith({ exposure })).gaps.unreported).toEqual({ count: 1, examples: ['room on b'] });
		expect(judge(runWith({ exposure, gaps: [{}] })).gaps.unreported.count).toBe(0);
	});

	it.each([
		['begins earlier than the slack allows', { since: FROM - 751 }, /begins 751 ms before the fault/],
		[
			'ends later than the slack allows',
			{ until: BACK + 501, reportedAt: BACK + 600 },
			/ends 501 ms after all was back/,
		],
		['ends before it begins', { since: BACK, until: FROM }, /no span of the past/],
		['ends in the future', { until: BACK + 1_000 }, /no span of the past/],
		['is no span', { since: Number.NaN }, /no span of the past/],
		['is on a topic nobody is in', { topic: 'elsewhere' }, /nobody there is in/],
	])('finds one that %s', (_, gap, sentence) => {
		expect(wrong(runWith({ gaps: [gap] }))).toEqual([expect.stringMatching(sentence)]);
	});

	it('allows one that begins and ends within the slack', () => {
		const run = runWith({ gaps: [{ since: FROM - 750, until: BACK + 500, reportedAt: BACK + 500 }] });
		expect(wrong(run)).toEqual([]);
		expect(judge(run).gaps.earliestMs).toBe(750);
	});

	it('counts how often one topic was reported on one node', () => {
		expect(judge(runWith({ gaps: [{}, {}, { node: 'a' }] })).gaps).toMatchObject({ events: 3, mostPerTopic: 2 });
	});
});
