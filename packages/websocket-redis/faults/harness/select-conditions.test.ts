import { describe, expect, it } from 'vitest';
import { CONDITIONS } from './conditions.ts';
import { everyCondition, selectConditions } from './select-conditions.ts';

const ALL = Object.keys(CONDITIONS);

describe('the conditions of a fault', () => {
	it('are in a full run all but those that make no sense for it', () => {
		expect(selectConditions({ name: 'a fault' }, true)).toEqual(ALL);
		expect(selectConditions({ name: 'a fault', fullRunsOnly: true }, true)).toEqual(ALL);
		expect(selectConditions({ name: 'a fault', unsuited: { frozen: 'it is another fault' } }, true)).toEqual(
			ALL.filter((key) => key !== 'frozen'),
		);
		expect(selectConditions({ name: 'a fault', unsuited: everyCondition('it takes too long') }, true)).toEqual([]);
	});

	it('are in another run one for about half of the faults, always the same, and each for some', () => {
		const faults = Array.from({ length: 30 }, (_, i) => ({ name: `fault ${i}` }));
		const selected = faults.map((fault) => selectConditions(fault, false));
		expect(faults.map((fault) => selectConditions(fault, false))).toEqual(selected);
		expect(selected.every(({ length }) => length <= 1)).toBe(true);
		expect(selected.flat().length).toBeGreaterThan(10);
		expect(new Set(selected.flat())).toEqual(new Set(ALL));
	});

	it('are in another run one of those that make sense', () => {
		const { frozen, ...unsuited } = everyCondition('it takes too long');
		expect(frozen).toBeDefined();
		const names = Array.from({ length: 30 }, (_, i) => `fault ${i}`);
		const selected = names.flatMap((name) => selectConditions({ name, unsuited }, false));
		expect(new Set(selected)).toEqual(new Set(['frozen']));
		for (const name of names)
			expect(selectConditions({ name, unsuited: { ...unsuited, frozen: 'so does this' } }, false)).toEqual([]);
	});

	it('are left out of another run if only full runs combine it', () => {
		expect(selectConditions({ name: 'a fault', fullRunsOnly: true }, false)).toEqual([]);
	});
});
