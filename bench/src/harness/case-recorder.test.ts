import { describe, expect, it } from 'vitest';
import type { Sample } from '../report/results.ts';
import { alternate, type Contender } from './alternate.ts';
import { type Comparison, CaseRecorder } from './case-recorder.ts';

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
	it('runs each contender once per round, in changing order, never twice in a row', async () => {
		const log: string[] = [];
		const recorder = new CaseRecorder(COMPARISON);
		const names = ['a', 'base', 'b'];
		await alternate(
			names.map((name) => contender(name, [1], log)),
			50,
			recorder,
		);

		const rounds = Array.from({ length: 50 }, (_, round) => log.slice(round * 3, round * 3 + 3));
		for (const round of rounds) expect(round.toSorted()).toEqual(names.toSorted());
		expect(new Set(rounds.map(String)).size).toBeGreaterThan(1);
		expect(log.filter((name, i) => name === log[i - 1])).toEqual([]);
		expect(recorder.result().subjects.map(({ subject, rounds }) => [subject, rounds.length])).toEqual([
			['base', 50],
			['a', 50],
			['b', 50],
		]);
	});

	it('takes the median of the ratios per round, so that a slowdown of the machine cancels out', async () => {
		const recorder = new CaseRecorder(COMPARISON);
		await alternate([contender('base', [100, 10, 50]), contender('a', [90, 9, 45])], 3, recorder);
		const [base, a] = recorder.result().subjects;

		expect(base).toMatchObject({ subject: 'base', value: { median: 50, min: 10, max: 100 }, ratio: { median: 1 } });
		expect(a).toMatchObject({ value: { median: 45 }, ratio: { median: 0.9, min: 0.9, max: 0.9 }, delivered: 1 });
		expect(a?.rounds).toHaveLength(3);
	});

	it('reports only the worst delivered share of a subject with losses in every round', async () => {
		const recorder = new CaseRecorder(COMPARISON);
		await alternate([contender('base', [100]), contender('lossy', [500], [], 0.75)], 2, recorder);
		const [, lossy] = recorder.result().subjects;

		expect(lossy).toMatchObject({ subject: 'lossy', delivered: 0.75 });
		expect(lossy).not.toHaveProperty('value');
		expect(lossy).not.toHaveProperty('ratio');
	});

	it('excludes rounds with a loss from the median', () => {
		const recorder = new CaseRecorder(COMPARISON);
		const complete = { value: 10, delivered: 1 };
		for (const sample of [complete, { value: 1_000, delivered: 0.5 }, complete]) recorder.add('a', sample, complete);

		expect(recorder.result().subjects[1]).toMatchObject({ value: { median: 10, max: 10 }, delivered: 0.5 });
	});

	it('rejects contenders without the baseline', async () => {
		await expect(alternate([contender('a', [1])], 1, new CaseRecorder(COMPARISON))).rejects.toThrow(
			'base is not among the subjects',
		);
	});
});
