import { describe, expect, it } from 'vitest';
import { brokenGuarantees, type Limits } from './guarantees.ts';
import { allBut, type Deviation, runWith } from './run-fixture.ts';
import { countRun } from './count-run.ts';

const LIMITS: Limits = {
	gapsPerTopic: 1,
	mustLose: false,
	maxRecoveryMs: 3_000,
	maxLocalLatencyMs: 250,
	maxRemoteLatencyMs: 2_000,
};

const broken = (deviation: Deviation, limits: Partial<Limits> = {}): string[] =>
	brokenGuarantees(countRun(runWith(deviation)), { ...LIMITS, ...limits });

describe('the guarantees', () => {
	it('are kept by a run without a fault, and by one with a reported loss', () => {
		expect(broken({})).toEqual([]);
		expect(broken({ remote: allBut(3, 4), gaps: [{}] }, { mustLose: true })).toEqual([]);
	});

	const twice = { gaps: [{}, {}] };
	it.each<[string, Deviation, Partial<Limits>, RegExp]>([
		[
			'a silent loss',
			{ remote: allBut(4) },
			{},
			/^1 message\(s\) lost outside every reported gap: 1 from a to b1 on room/,
		],
		['a duplicate', { remote: [0, ...allBut()] }, {}, /^1 message\(s\) delivered twice/],
		['an inversion', { remote: [1, 0, ...allBut(0, 1)] }, {}, /^1 message\(s\) delivered after a later one/],
		['a stray', { remote: [...allBut(), 99] }, {}, /^1 message\(s\) delivered that were not sent/],
		['a loss on the same node', { local: allBut(4) }, {}, /^1 message\(s\) lost on the publisher's own node/],
		['a promise that never settles', { outcomes: { 4: 'pending' } }, {}, /^1 publish promise\(s\) that never settled/],
		['an interruption without a gap', { impact: () => 'interrupted' }, {}, /^2 interrupted topic\(s\) without/],
		['a false alarm', { gaps: [{}], impact: () => 'unaffected' }, {}, /^1 wrong gap event\(s\)/],
		['two gaps for one interruption', twice, {}, /^2 gap events on one topic instead of 1/],
		['late remote delivery', { remoteLatency: 2_001 }, {}, /^2001 ms to reach another node, above 2000 ms/],
		['slow local delivery', { localLatency: 251 }, {}, /^251 ms to reach a client of the same node, above 250 ms/],
		[
			'slow recovery',
			{ remote: allBut(8), gaps: [{ until: 11_100, reportedAt: 11_100 }] },
			{ maxRecoveryMs: 99 },
			/^100 ms/,
		],
		['a fault that did not happen', {}, { mustLose: true }, /^no message was lost/],
	])('are broken by %s, which is the only one reported', (_, deviation, limits, sentence) => {
		expect(broken(deviation, limits)).toEqual([expect.stringMatching(sentence)]);
	});
});
