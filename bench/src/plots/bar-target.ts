import type { CaseResult } from '../report/results.ts';
import { formatValue } from './format.ts';
import type { Scale } from './scale.ts';
import { line, text } from './svg.ts';
import { textWidth } from './text-width.ts';
import { SIZE } from './theme.ts';

const NOTCH = 6;

export interface TargetMarks {
	/** Of the subject that should reach it. */
	readonly row: number;
	/** From above the rows down to that row. */
	readonly label: string;
	/** In that row, above and below the whisker, which may be at the same place. */
	readonly tick: string;
}

export interface Rows {
	/** Of the first one. */
	readonly top: number;
	readonly height: number;
}

/** The target, where there is one and the baseline has a value to set it by. */
export function targetMarks(of: CaseResult, scale: Scale, end: number, { top, height }: Rows): TargetMarks | undefined {
	const { subjects, target, better } = of;
	const value = targetValue(of);
	const row = subjects.findIndex(({ subject }) => subject === target?.subject);
	if (!target || value === undefined || row === -1) return undefined;
	const x = scale(value);
	const limit = target.of === 'ratio' ? `${target.limit}×` : formatValue(target.limit, of.unit);
	const label = `target for ${target.subject} ${better === 'higher' ? '≥' : '≤'} ${limit}`;
	const half = textWidth(label, SIZE.small) / 2;
	return {
		row,
		label: [
			text(Math.min(Math.max(x, half), end - half), 12, label, { class: 'small muted middle' }),
			line(x, top - 2, x, top + row * height, { class: 'axis', 'stroke-dasharray': '2 2' }),
		].join('\n'),
		tick: [notch(x, 0), notch(x, height - NOTCH)].join('\n'),
	};
}

function notch(x: number, y: number): string {
	return [
		line(x, y, x, y + NOTCH, { class: 'halo', 'stroke-width': 4 }),
		line(x, y, x, y + NOTCH, { class: 'mark', 'stroke-width': 2 }),
	].join('\n');
}

/** In the unit of the case; undefined without a target, or where the baseline has no value to set it by. */
export function targetValue(of: CaseResult): number | undefined {
	if (of.target === undefined) return undefined;
	if (of.target.of === 'value') return of.target.limit;
	const base = baselineMedian(of);
	return base === undefined ? undefined : base * of.target.limit;
}

function baselineMedian({ subjects, baseline }: CaseResult): number | undefined {
	return subjects.find(({ subject }) => subject === baseline)?.value?.median;
}
