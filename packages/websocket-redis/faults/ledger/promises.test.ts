import { describe, expect, it } from 'vitest';
import { brokenPromises, type Terms } from './promises.ts';
import { allBut, type Deviation, runWith } from './run-fixture.ts';
import { judge } from './verdict.ts';

const TERMS: Terms = {
	gapsPerTopic: 1,
	mustLose: false,
	maxRecoveryMs: 3_000,
	maxLocalLatencyMs: 250,
	maxRemoteLatencyMs: 2_000,
};

const broken = (deviation: Deviation, terms: Partial<Terms> = {}): string[] =>
	brokenPromises(judge(runWith(deviation)), { ...TERMS, ...terms });

describe('the promises', () => {
	it('are kept by a run without a fault, and by a loss that was reported', () => {
		expect(broken({})).toEqual([]);
		expect(broken({ remote: allBut(3, 4), gaps: [{}] }, { mustLose: true })).toEqual([]);
	});

	const twice = { gaps: [{}, {}] };
	it.each<[string, Deviation, Partial<Terms>, RegExp]>([
		[
			'a silent loss',
			{ remote: allBut(4) },
			{},
			/^1 message\(s\) lost outside every reported gap: 1 from a to b1 on room/,
		],
		['a duplicate', { remote: [0, ...allBut()] }, {}, /^1 message\(s\) delivered twice/],
		['an inversion', { remote: [1, 0, ...allBut(0, 1)] }, {}, /^1 message\(s\) delivered after a later one/],
		['a stray', { remote: [...allBut(), 99] }, {}, /^1 message\(s\) delivered that nobody sent/],
		['a loss on the same node', { local: allBut(4) }, {}, /^1 message\(s\) lost on the publisher's own node/],
		['a promise that never settles', { outcomes: { 4: 'pending' } }, {}, /^1 publish promise\(s\) that never settled/],
		['an interruption without a gap', { exposure: () => 'interrupted' }, {}, /^2 interrupted topic\(s\) without/],
		['a false alarm', { gaps: [{}], exposure: () => 'untouched' }, {}, /^1 gap event\(s\) that say what is not so/],
		['two gaps for one interruption', twice, {}, /^2 gap events on one topic instead of 1/],
		['late remote delivery', { remoteLatency: 2_001 }, {}, /^2001 ms to reach another node, above 2000 ms/],
		['slow local delivery', { localLatency: 251 }, {}, /^251 ms to reach a client of the same node, above 250 ms/],
		[
			'slow recovery',
			{ remote: allBut(8), gaps: [{ until: 11_100, reportedAt: 11_100 }] },
			{ maxRecoveryMs: 99 },
			/^100 ms/,
		],
		['a fault that did not happen', {}, { mustLose: true }, /^nothing was lost/],
	])('are broken by %s, and only that is said', (_, deviation, terms, sentence) => {
		expect(broken(deviation, terms)).toEqual([expect.stringMatching(sentence)]);
	});
});
