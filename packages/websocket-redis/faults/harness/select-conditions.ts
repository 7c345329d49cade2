import type { ConditionKey } from './condition.ts';

/** All keys, in the order of the table. */
const KEYS: readonly ConditionKey[] = ['frozen', 'stalled', 'delayed', 'clocksApart', 'clocksSet'];

/** Conditions that make no sense for a fault, each with the reason. */
export type Unsuited = Partial<Readonly<Record<ConditionKey, string>>>;

/** All conditions make no sense, for the same reason. */
export function everyCondition(reason: string): Unsuited {
	return Object.fromEntries(KEYS.map((key) => [key, reason]));
}

/**
 * The conditions that a fault is run in: all that make sense, or for a quick run one of them. Which one depends on the
 * fault's name only, so that each run is of the same, and is another for each fault.
 */
export function selectConditions(fault: string, unsuited: Unsuited, all: boolean): readonly ConditionKey[] {
	const suited = KEYS.filter((key) => unsuited[key] === undefined);
	if (all || suited.length === 0) return suited;
	return suited.slice(hash(fault) % suited.length).slice(0, 1);
}

function hash(text: string): number {
	let sum = 0;
	for (let i = 0; i < text.length; i++) sum = (Math.imul(sum, 31) + text.charCodeAt(i)) >>> 0;
	return sum;
}
