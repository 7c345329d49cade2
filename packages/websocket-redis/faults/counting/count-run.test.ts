import { describe, expect, it } from 'vitest';
import { allBut, BACK, FROM, runWith } from './run-fixture.ts';
import { countRun } from './count-run.ts';

describe('the counts of a run', () => {
	it('include the deliveries on both nodes, and no violation in a correct run', () => {
		expect(countRun(runWith())).toEqual({
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

	it('distinguish losses inside and outside a gap by time', () => {
		// The missing messages are published at 10,100, 10,300 and 11,100; the gap ends at 11,000.
		const { remote } = countRun(runWith({ remote: allBut(3, 4, 8), gaps: [{}] }));
		expect(remote).toMatchObject({ expected: 10, delivered: 7, missing: 3, reported: 2 });
		expect(remote.silent).toEqual({
			count: 1,
			examples: [
				'1 from a to b1 on room, numbers 8 (accepted) to 8 (accepted), published 1100 to 1100 ms into the fault; ' +
					'gaps reported there: 0..1000',
			],
		});
	});

	it('treat both ends of a gap as inside it', () => {
		const gaps = [{ since: 10_100, until: 10_300 }];
		expect(countRun(runWith({ remote: allBut(3, 4), gaps })).remote.silent.count).toBe(0);
	});

	it.each([
		['of another topic', { topic: 'other' }],
		['of another node', { node: 'a' }],
		['of broadcasts and direct messages', { topic: '*' }],
	])('do not take a loss as reported by a gap %s', (_, gap) => {
		expect(countRun(runWith({ remote: allBut(4), gaps: [gap] })).remote.silent.count).toBe(1);
	});

	it.each(['*', '@b1'])('take a loss on %s as reported by a gap on *', (channel) => {
		const run = runWith({ channel, remote: allBut(4), gaps: [{ topic: '*' }] });
		expect(countRun(run)).toMatchObject({
			remote: { reported: 1, silent: { count: 0 } },
			gaps: { wrong: { count: 0 } },
		});
	});

	it('include a rejected message as missing if it did not arrive, and as late if it did', () => {
		const run = runWith({ remote: allBut(3), outcomes: { 3: 'rejected', 4: 'rejected', 9: 'pending' } });
		expect(countRun(run)).toMatchObject({
			sent: { total: 10, rejected: 2, pending: 1 },
			remote: { missing: 1, silent: { count: 1 } },
			lateDeliveries: 1,
		});
	});

	it('separate losses on the publishing node, which no gap may report', () => {
		const run = runWith({ local: allBut(4, 5), gaps: [{ node: 'a' }] });
		expect(countRun(run)).toMatchObject({ local: { delivered: 8, missing: 2 }, remote: { missing: 0 } });
	});

	it('include the slowest delivery on the same node', () => {
		expect(countRun(runWith({ localLatency: 700 })).local.maxLatencyMs).toBe(700);
	});

	it('include the slowest delivery of accepted messages to another node', () => {
		expect(countRun(runWith({ remoteLatency: 700 })).remote.maxLatencyMs).toBe(700);
		const outcomes = Object.fromEntries(allBut().map((number) => [number, 'rejected' as const]));
		expect(countRun(runWith({ remoteLatency: 700, outcomes })).remote.maxLatencyMs).toBe(0);
	});

	it('include duplicates', () => {
		const { duplicates, inversions, remote } = countRun(runWith({ remote: [0, 1, 1, ...allBut(0, 1), 1] }));
		expect({ duplicates, inversions, delivered: remote.delivered }).toEqual({
			duplicates: 2,
			inversions: 0,
			delivered: 10,
		});
	});

	it('include inversions, also after missing messages', () => {
		const run = runWith({ remote: [0, 2, 1, 8, 5, 9], gaps: [{ since: 9_500, until: BACK }] });
		expect(countRun(run)).toMatchObject({ inversions: 2, duplicates: 0, remote: { delivered: 6, missing: 4 } });
	});

	it('include strays: wrong numbers, publishers and channels', () => {
		expect(countRun(runWith({ remote: [...allBut(), 10, Number.NaN] })).strays).toBe(2);
		expect(countRun(runWith({ extra: { '@a1': [0, 1] } })).strays).toBe(2);
	});

	it('expect no messages from before a client subscribed', () => {
		const { remote } = countRun(runWith({ remote: allBut(0, 1, 2, 3), since: 10_300 }));
		expect(remote).toMatchObject({ expected: 6, delivered: 6, missing: 0 });
	});

	it('expect no messages from after a client was released', () => {
		const { remote } = countRun(runWith({ remote: allBut(8, 9), until: 11_000 }));
		expect(remote).toMatchObject({ expected: 8, delivered: 8, missing: 0 });
	});

	it('include the recovery time until the last loss', () => {
		expect(countRun(runWith({ remote: allBut(4, 8) })).recoveryMs).toBe(100);
		expect(countRun(runWith({ remote: allBut(4) })).recoveryMs).toBe(0);
	});
});

describe('the check of gap events', () => {
	const wrong = (run: Parameters<typeof countRun>[0]): string[] => countRun(run).gaps.wrong.examples;

	it('accepts one on a topic that may have missed messages', () => {
		expect(countRun(runWith({ gaps: [{}] })).gaps).toMatchObject({ events: 1, mostPerTopic: 1, wrong: { count: 0 } });
	});

	it('takes one on an untouched topic that missed nothing for a false alarm', () => {
		const impact = () => 'unaffected' as const;
		expect(wrong(runWith({ gaps: [{}], impact }))).toEqual([expect.stringContaining('false alarm')]);
		expect(wrong(runWith({ gaps: [{}], impact, remote: allBut(4) }))).toEqual([]);
	});

	it('has no use for one on a topic that must be whole, loss or not', () => {
		const impact = () => 'lossless' as const;
		expect(wrong(runWith({ gaps: [{}], impact }))).toEqual([expect.stringContaining('false alarm')]);
		expect(wrong(runWith({ gaps: [{}], impact, remote: allBut(4) }))).toEqual([
			expect.stringContaining('a loss on a topic that must lose nothing'),
		]);
	});

	it('requires one on every interrupted topic, with or without a loss', () => {
		const impact = (node: string) => (node === 'b' ? ('interrupted' as const) : ('unaffected' as const));
		expect(countRun(runWith({ impact })).gaps.unreported).toEqual({ count: 1, examples: ['room on b'] });
		expect(countRun(runWith({ impact, gaps: [{}] })).gaps.unreported.count).toBe(0);
	});

	it.each([
		['begins earlier than the slack allows', { since: FROM - 751 }, /begins 751 ms before the fault/],
		['ends later than the slack allows', { until: BACK + 501, reportedAt: BACK + 600 }, /ends 501 ms after the repair/],
		['ends before it begins', { since: BACK, until: FROM }, /not a time span in the past/],
		['ends in the future', { until: BACK + 1_000 }, /not a time span in the past/],
		['has an invalid time', { since: Number.NaN }, /not a time span in the past/],
		['is on a topic without subscribers', { topic: 'elsewhere' }, /without subscribers/],
	])('rejects one that %s', (_, gap, sentence) => {
		expect(wrong(runWith({ gaps: [gap] }))).toEqual([expect.stringMatching(sentence)]);
	});

	it('accepts one that begins and ends within the slack', () => {
		const run = runWith({ gaps: [{ since: FROM - 750, until: BACK + 500, reportedAt: BACK + 500 }] });
		expect(wrong(run)).toEqual([]);
		expect(countRun(run).gaps.earliestMs).toBe(750);
	});

	it('counts the events per topic and node', () => {
		expect(countRun(runWith({ gaps: [{}, {}, { node: 'a' }] })).gaps).toMatchObject({ events: 3, mostPerTopic: 2 });
	});
});

describe('with clocks apart', () => {
	const AHEAD = 180_000;
	const clocks = { behindMs: 120_000, aheadMs: AHEAD };
	const shifted = { since: FROM + AHEAD, until: BACK + AHEAD };

	it('a gap has to hold by the clock of the node that published', () => {
		const beside = countRun(runWith({ ahead: AHEAD, clocks, remote: allBut(4), gaps: [{}] }));
		expect(beside.remote).toMatchObject({ reported: 0, silent: { count: 1 } });
		expect(beside.remote.silent.examples).toEqual([
			expect.stringContaining('published 300 to 300 ms into the fault (by the clock of a, 180300 to 180300)'),
		]);
		for (const gap of [shifted, { until: BACK + AHEAD }]) {
			const { remote, gaps } = countRun(runWith({ ahead: AHEAD, clocks, remote: allBut(4), gaps: [gap] }));
			expect(remote).toMatchObject({ reported: 1, silent: { count: 0 } });
			expect(gaps.wrong.examples).toEqual([]);
		}
	});

	it('latency, recovery and subscriptions are counted by the clock of the counting process', () => {
		const counts = countRun(
			runWith({ ahead: AHEAD, clocks, remote: allBut(3, 8), remoteLatency: 7, since: 9_600, gaps: [shifted] }),
		);
		expect(counts).toMatchObject({ recoveryMs: 100, remote: { expected: 9, maxLatencyMs: 7 } });
	});

	it.each([
		['begins further back than the slack and the slowest clock allow', { since: FROM - 120_751 }, /begins 120751 ms/],
		['ends later than the slack and the fastest clock allow', { until: BACK + AHEAD + 501 }, /ends 180501 ms/],
		['is in the future by every clock', { until: BACK + AHEAD + 500, reportedAt: BACK }, /not a time span in the past/],
	])('a gap is wrong that %s', (_, gap, sentence) => {
		const run = runWith({ clocks, gaps: [{ reportedAt: BACK + 600, ...gap }] });
		expect(countRun(run).gaps.wrong.examples).toEqual([expect.stringMatching(sentence)]);
	});

	it('a gap may be as wide as the slack and the clocks allow', () => {
		const gap = { since: FROM - 120_750, until: BACK + AHEAD + 500, reportedAt: BACK + 500 };
		expect(countRun(runWith({ clocks, gaps: [gap] })).gaps.wrong.examples).toEqual([]);
	});
});
