import { describe, expect, it } from 'vitest';
import { CONDITIONS } from './conditions.ts';
import { everyCondition, selectConditions } from './select-conditions.ts';

const ALL = Object.keys(CONDITIONS);

describe('the conditions of a fault', () => {
	it('are all but those that make no sense for it', () => {
		expect(selectConditions('a fault', {}, true)).toEqual(ALL);
		expect(selectConditions('a fault', { frozen: 'it is another fault' }, true)).toEqual(
			ALL.filter((key) => key !== 'frozen'),
		);
		expect(selectConditions('a fault', everyCondition('it takes too long'), true)).toEqual([]);
	});

	it('are one in a quick run, always the same, and each for some faults', () => {
		const names = Array.from({ length: 30 }, (_, i) => `fault ${i}`);
		const selected = names.map((name) => selectConditions(name, {}, false));
		expect(names.map((name) => selectConditions(name, {}, false))).toEqual(selected);
		expect(selected.every(({ length }) => length === 1)).toBe(true);
		expect(new Set(selected.flat())).toEqual(new Set(ALL));
	});

	it('are in a quick run one of those that make sense', () => {
		const { frozen, ...others } = everyCondition('it takes too long');
		expect(frozen).toBeDefined();
		for (const name of ['one', 'other', 'third']) expect(selectConditions(name, others, false)).toEqual(['frozen']);
		expect(selectConditions('a fault', everyCondition('it takes too long'), false)).toEqual([]);
	});
});
