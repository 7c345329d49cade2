import { hash } from '../harness/hash.ts';

/** The seed of all random choices. To repeat a run, set the environment variable `SEED` to the seed that it printed. */
export const SEED: number = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
console.log(`SEED=${SEED}`);

let state = SEED >>> 0;

/**
 * Begins the numbers of a part of a run, such as a test or a fault. They depend on the seed and the name only, not on
 * how many were drawn before: which differs from run to run, as does a later try from the first.
 */
export function restartRandom(part: string): void {
	state = (SEED ^ hash(part)) >>> 0;
}

/** Returns a number from 0 to below 1 (mulberry32). */
export function random(): number {
	state = (state + 0x6d2b79f5) >>> 0;
	let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
	mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
	return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

/** Chooses `count` items at random, each at most once. */
export function sample<Item>(items: readonly Item[], count: number): Item[] {
	const rest = [...items];
	const chosen: Item[] = [];
	while (chosen.length < count && rest.length > 0) chosen.push(...rest.splice(Math.floor(random() * rest.length), 1));
	return chosen;
}

/** Chooses one of the items at random. */
export function pick<Item>(items: readonly Item[]): Item {
	return items[Math.floor(random() * items.length)] as Item;
}

/** Returns a whole number from `min` to `max`. */
export function between(min: number, max: number): number {
	return min + Math.floor(random() * (max - min + 1));
}
