import { expect, it } from 'vitest';
import { beatsOf } from './beats.ts';
import { CONDITIONS } from './conditions.ts';

const FAULTS = Array.from({ length: 40 }, (_, i) => `fault ${i}`);

it('collects the beats of about every other fault, and of a fault with or without its condition', () => {
	const collected = FAULTS.filter((fault) => beatsOf(fault, undefined, undefined) === 'collected');
	expect(collected.length).toBeGreaterThan(10);
	expect(collected.length).toBeLessThan(30);
	for (const fault of FAULTS) {
		expect(beatsOf(fault, CONDITIONS.frozen, undefined)).not.toBe(beatsOf(fault, undefined, undefined));
	}
});

it('can be told', () => {
	for (const fault of FAULTS) expect(beatsOf(fault, undefined, 'direct')).toBe('direct');
	for (const fault of FAULTS) expect(beatsOf(fault, CONDITIONS.delayed, 'collected')).toBe('collected');
});
