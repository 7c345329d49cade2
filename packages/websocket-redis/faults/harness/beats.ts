import type { Condition } from './condition.ts';
import { hash } from './hash.ts';

/** How nodes learn of each other's beats: from each other, or from Redis, which collects them. */
export type Beats = 'direct' | 'collected';

/** The number of nodes above which beats are collected, for runs with two or more. */
export const COLLECT_ABOVE: Readonly<Record<Beats, number>> = { direct: 32, collected: 1 };

/** How much older what a node knows of another one may be if beats are collected, in milliseconds. */
export const COLLECTED_LAG_MS = 5_500;

/**
 * Returns the beats of a run, which depend on the fault's name, and are different in its conditions: so every run has
 * both, and takes no longer. `BEATS=collected` or `BEATS=direct` chooses one for all.
 */
export function beatsOf(
	fault: string,
	condition: Condition | undefined,
	forced: string | undefined = process.env['BEATS'],
): Beats {
	if (forced === 'direct' || forced === 'collected') return forced;
	const isOdd = ((hash(fault) >>> 8) & 1) === 1;
	return isOdd === (condition === undefined) ? 'collected' : 'direct';
}
