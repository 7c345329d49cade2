import { describe, expect, it } from 'vitest';
import type { Sample } from '../report/results.ts';
import { alternate, type Contender } from './alternate.ts';
import { type Comparison, Ledger } from './ledger.ts';

const COMPARISON: Comparison = { name: 'case', unit: 'things/s', better: 'higher', baseline: 'base' };

function contender(subject: string, values: readonly number[], log: string[] = [], delivered = 1): Contender {
	let round = 0;
	return {
		subject,
		async round(): Promise<Sample> {
			log.push(subject);
			return { value: values[round++ % values.length] as number, delivered };
		},
	};
}

describe('a comparison', () => {
	it('lets each contender do a round in turn, in changing order, and nobody two in a row', async () => {
		const log: string[] = [];
		const ledger = new Ledger(COMPARISON);
		const names = ['a', 'base', 'b'];
		await alternate(
			names.map((name) => contender(name, [1], log)),
			50,
			ledger,
		);

		const rounds = Array.from({ length: 50 }, (_, round) => log.slice(round * 3, round * 3 + 3));
		for (const round of rounds) expect(round.toSorted()).toEqual(names.toSorted());
		expect(new Set(rounds.map(String)).size).toBeGreaterThan(1);
		expect(log.filter((name, i) => name === log[i - 1])).toEqual([]);
		expect(ledger.result().subjects.map(({ subject, rounds }) => [subject, rounds.length])).toEqual([
			['base', 50],
			['a', 50],
			['b', 50],
		]);
	});

	it('takes the ratio of each pair, then the median: a machine that slows down changes none of them', async () => {
		const ledger = new Ledger(COMPARISON);
		await alternate([contender('base', [100, 10, 50]), contender('a', [90, 9, 45])], 3, ledger);
		const [base, a] = ledger.result().subjects;

		expect(base).toMatchObject({ subject: 'base', value: { median: 50, min: 10, max: 100 }, ratio: { median: 1 } });
		expect(a).toMatchObject({ value: { median: 45 }, ratio: { median: 0.9, min: 0.9, max: 0.9 }, delivered: 1 });
		expect(a?.rounds).toHaveLength(3);
	});

	it('gives no value and no ratio to a subject that lost something in each round, and says the worst share', async () => {
		const ledger = new Ledger(COMPARISON);
		await alternate([contender('base', [100]), contender('lossy', [500], [], 0.75)], 2, ledger);
		const [, lossy] = ledger.result().subjects;

		expect(lossy).toMatchObject({ subject: 'lossy', delivered: 0.75 });
		expect(lossy).not.toHaveProperty('value');
		expect(lossy).not.toHaveProperty('ratio');
	});

	it('leaves rounds with a loss out of the median', () => {
		const ledger = new Ledger(COMPARISON);
		const whole = { value: 10, delivered: 1 };
		for (const sample of [whole, { value: 1_000, delivered: 0.5 }, whole]) ledger.add('a', sample, whole);

		expect(ledger.result().subjects[1]).toMatchObject({ value: { median: 10, max: 10 }, delivered: 0.5 });
	});

	it('needs its baseline among the subjects', async () => {
		await expect(alternate([contender('a', [1])], 1, new Ledger(COMPARISON))).rejects.toThrow(
			'base is not among the subjects',
		);
	});
});
