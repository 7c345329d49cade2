import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { drawSchedule } from './draw.ts';
import { describeDamage, durationOf, type Fault, targetsOf } from './fault.ts';

const LENGTH_MS = 180_000;
const SEEDS = Array.from({ length: 50 }, (_, seed) => seed);

function schedule(seed: number, lengthMs = LENGTH_MS): Fault[] {
	return drawSchedule(new Random(seed), lengthMs);
}

describe('the faults of a run', () => {
	it('depend on nothing but the seed', () => {
		expect(schedule(7)).toEqual(schedule(7));
		expect(schedule(7)).not.toEqual(schedule(8));
	});

	it('are in order, and are all repaired by its end', () => {
		for (const seed of SEEDS) {
			const faults = schedule(seed);
			expect(faults.map(({ at }) => at)).toEqual(faults.map(({ at }) => at).toSorted((a, b) => a - b));
			expect(faults.filter((fault) => fault.at + durationOf(fault) > LENGTH_MS)).toEqual([]);
		}
	});

	it('are at most two at a time, of different targets', () => {
		for (const seed of SEEDS) {
			const faults = schedule(seed);
			for (const fault of faults) {
				const current = faults.filter((other) => other.at <= fault.at && fault.at <= other.at + durationOf(other));
				expect(current.length).toBeLessThanOrEqual(2);
				const targets = current.flatMap(targetsOf);
				expect(new Set(targets).size).toBe(targets.length);
			}
		}
	});

	it('are sometimes two at a time', () => {
		const faults = schedule(1);
		const pairs = faults.filter((a) => faults.some((b) => a !== b && a.at < b.at && b.at < a.at + durationOf(a)));
		expect(pairs.length).toBeGreaterThan(0);
	});

	it('are of every kind', () => {
		const kinds = new Set(SEEDS.flatMap((seed) => schedule(seed).map(({ kind }) => kind)));
		expect(kinds.size).toBe(18);
	});

	it('do not occur in a run that is over before the first', () => {
		expect(schedule(1, 1_000)).toEqual([]);
	});
});

it('a fault is described with all that matters', () => {
	expect(describeDamage({ kind: 'link delayed', node: 'a', forMs: 1_234, way: 'toClient', ms: 300 })).toBe(
		'link delayed, a, for 1.2 s, toClient, by 300 ms',
	);
	expect(describeDamage({ kind: 'clock set', of: 'b', offsetMs: -90_000 })).toBe('clock set, of b, to -90.0 s');
});
