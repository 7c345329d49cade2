import { describe, expect, it } from 'vitest';
import { random, restartRandom, SEED } from '../history/random.ts';
import { expectNone } from './expect-none.ts';

describe('expectNone', () => {
	it('passes without findings', () => {
		expectNone('findings', [], 'faults: a');
	});

	it('lists the first findings, shortened, and says how to repeat the run', () => {
		const findings = Array.from({ length: 30 }, (_, i) => `ghost ${i} ${'x'.repeat(1_000)}`);
		const lines = messageOf(() => expectNone('findings', findings, 'faults: a, b')).split('\n');
		expect(lines[0]).toMatch(/^30 findings; to repeat: SEED=\d+ .* expect-none\.test$/);
		expect(lines[0]).toContain(`SEED=${SEED} `);
		expect(lines[1]).toBe('faults: a, b');
		expect(lines.slice(2, -1).map((line) => line.slice(0, 8).trim())).toEqual(
			findings.slice(0, 20).map((text) => text.slice(0, 8).trim()),
		);
		expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(450);
		expect(lines.at(-1)).toBe('… and 10 more');
	});
});

it('random numbers of a part are the same whatever was drawn before, and differ between parts', () => {
	const first = numbersOf('a');
	expect(numbersOf('b')).not.toEqual(first);
	expect(numbersOf('a')).toEqual(first);
});

function numbersOf(part: string): number[] {
	restartRandom(part);
	return [random(), random(), random()];
}

function messageOf(fails: () => void): string {
	try {
		fails();
	} catch (error) {
		return (error as Error).message;
	}
	throw new Error('it did not fail');
}
