import { describe, expect, it } from 'vitest';
import { count } from '../ledger/count.ts';
import { allBut, type Deviation, ledgerWith } from '../ledger/ledger-fixture.ts';
import type { LoggedFault } from './fault-log.ts';
import { type Context, describeViolations, violationsByFault } from './violations.ts';

const FAULT: LoggedFault = {
	fault: { kind: 'link cut', node: 'b', forMs: 1_000, at: 4_500 },
	from: 4_500,
	until: 5_500,
};

function describedRun(deviation: Deviation): {
	readonly context: Context;
	readonly texts: string[];
	readonly causes: string[];
} {
	const ledger = ledgerWith(deviation);
	const context: Context = { ledger, faults: [FAULT], startAt: 0, processOf: () => 'b1' };
	const { violations } = count(ledger);
	return { context, texts: describeViolations(violations, context), causes: violationsByFault(violations, context) };
}

describe('the description of violations', () => {
	it('is empty if there are no violations', () => {
		expect(describedRun({})).toMatchObject({ texts: [], causes: [] });
	});

	it('names message, publisher, receivers, times, gaps and what was broken', () => {
		const clientGaps = [{ at: 7_000, since: 65_500, until: 66_000, reason: 'a reason' }];
		const { texts, causes } = describedRun({ client: allBut(4), node: allBut(4), clientGaps, clockMs: 60_000 });
		expect(texts).toEqual([
			[
				'2 × silent loss: 4 of a1 on plain:0 to client (of b1), node b1',
				'  published 5.000 (accepted; its clock was ahead by 60.000)',
				"  gaps told to client, by the publisher's clock: 5.500 to 6.000 (told at 7.000: a reason)",
				'  broken: 4.500 to 5.500 link cut, b, for 1.0 s',
			].join('\n'),
		]);
		expect(causes).toEqual(['2 × silent loss: 4.500 to 5.500 link cut, b, for 1.0 s']);
	});

	it('takes together what belongs together', () => {
		const { texts } = describedRun({ client: allBut(3, 4, 5) });
		expect(texts.map((text) => text.split('\n')[0])).toEqual([
			'3 × silent loss: 3 to 5 of a1 on plain:0 to client (of b1)',
		]);
	});

	it('says what is wrong with a ghost, and when nothing was broken', () => {
		const { texts } = describedRun({ extra: [{ n: 10, at: 20_000 }] });
		expect(texts).toEqual([
			[
				'1 × ghost: a message that was never published to client (of b1)',
				'  it was never published',
				'  at 20.000',
				'  broken: nothing',
			].join('\n'),
		]);
	});
});
