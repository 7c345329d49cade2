import type { ConditionKey } from './condition.ts';
import { hash } from './hash.ts';

/** All keys, in the order of the table. */
const KEYS: readonly ConditionKey[] = ['frozen', 'stalled', 'delayed', 'clocksApart', 'clocksSet'];

/** Some of the conditions, each with a reason. */
export type ByCondition = Partial<Readonly<Record<ConditionKey, string>>>;

/** All conditions make no sense, for the same reason. */
export function everyCondition(reason: string): ByCondition {
	return Object.fromEntries(KEYS.map((key) => [key, reason]));
}

/** A fault, as far as its conditions depend on it. */
export interface Combined {
	readonly name: string;
	readonly unsuited?: ByCondition;
	readonly fullRunsOnly?: boolean;
}

/** Whether this is a full run: set by `test:faults:all`. */
export const IS_FULL_RUN: boolean = process.env.FAULTS === 'all';

/**
 * Returns the conditions in which a fault is run: in a full run all that make sense, otherwise one of them for about
 * every other fault. Which one depends only on the fault's name: it is the same in every run, and differs between
 * faults.
 */
export function selectConditions(
	{ name, unsuited = {}, fullRunsOnly = false }: Combined,
	isFullRun: boolean = IS_FULL_RUN,
): readonly ConditionKey[] {
	const suited = KEYS.filter((key) => unsuited[key] === undefined);
	if (isFullRun) return suited;
	const sum = hash(name);
	if (fullRunsOnly || suited.length === 0 || sum % 2 === 1) return [];
	const at = (sum >>> 1) % suited.length;
	return suited.slice(at, at + 1);
}
