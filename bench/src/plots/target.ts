import type { CaseResult } from '../report/results.ts';
import { formatValue } from './format.ts';

export interface DrawnTarget {
	readonly subject: string;
	/** The value to reach, in the unit of the case. */
	readonly value: number;
	readonly text: string;
}

/** Returns the target to draw; undefined if there is no target, or no baseline value from which it can be derived. */
export function targetOf({ target, baseline, subjects, better, unit }: CaseResult): DrawnTarget | undefined {
	const base = subjects.find(({ subject }) => subject === baseline)?.value?.median;
	if (target === undefined || !subjects.some(({ subject }) => subject === target.subject)) return undefined;
	const value = target.of === 'value' ? target.limit : base === undefined ? undefined : base * target.limit;
	if (value === undefined) return undefined;
	const limit = target.of === 'ratio' ? `${target.limit}×` : formatValue(value, unit);
	return {
		subject: target.subject,
		value,
		text: `target for ${target.subject}: ${better === 'higher' ? '≥' : '≤'} ${limit}`,
	};
}
