import type { CaseResult, Spread, SubjectResult } from '../report/results.ts';
import type { BarLayout } from './bar-layout.ts';
import { tail, whisker } from './bar-marks.ts';
import { targetValue, targetMarks } from './bar-target.ts';
import { stack, translated, type Block } from './block.ts';
import { formatShare } from './format.ts';
import { caseHeading, panelHeading } from './panel-heading.ts';
import { tailOf } from './percentiles.ts';
import { roleOf } from './role.ts';
import { linearScale, type Scale } from './scale.ts';
import { element, line, text } from './svg.ts';

const ROW = 20;
const MIDDLE = ROW / 2;
const TEXT_BASE = MIDDLE + 4;
const BAR = 12;
/** Above the rows, for the headings of the columns and the label of the target. */
const STRIP = 18;
/** How far tails may stretch the axis beyond the largest value; those that are longer end in an arrow. */
const MOST_TAIL = 4;

/** One kind of work: a bar per subject from zero, with its figures at the right. */
export function barPanel(of: CaseResult, layout: BarLayout): Block {
	const [from, to] = layout.plot;
	const scale = linearScale([0, longest(of, layout)], [from, to]);
	const strip = layout.columns.map((column) => text(column.end, 12, column.heading, { class: 'small muted end' }));
	const target = targetMarks(of, scale, to, { top: STRIP, height: ROW });
	const rows = of.subjects.map((subject, index) => {
		const name = nameOf(subject, of, layout);
		const marks = index === target?.row ? [target.tick] : [];
		const content = subject.value ? bar(subject, subject.value, of, layout, scale) : [missing(subject, from)];
		return translated(0, STRIP + index * ROW, [name, ...content, ...marks].join('\n'));
	});
	const height = STRIP + of.subjects.length * ROW;
	const axis = line(from, STRIP, from, height, { class: 'axis' });
	const body = { height, markup: [...strip, ...(target ? [target.label] : []), ...rows, axis].join('\n') };
	return stack([panelHeading(of.name, caseHeading(of), layout.width, layout.isHeadingBeside), body], 0);
}

function bar(
	subject: SubjectResult,
	value: Spread,
	of: CaseResult,
	{ plot: [from, to], columns, marked }: BarLayout,
	scale: Scale,
): string[] {
	const end = scale(value.median);
	const figures = columns.flatMap((column) => {
		const content = column.textOf(subject, of);
		const style = column.isAside(of) ? 'label muted end' : 'label end';
		return content === '' ? [] : text(column.end, TEXT_BASE, content, { class: style });
	});
	return [
		element(
			'g',
			{ class: roleOf(subject.subject, of.baseline) },
			element('rect', { x: from, y: MIDDLE - BAR / 2, width: end - from, height: BAR, fill: 'currentColor' }),
			...tail(tailOf(subject, marked), end, scale, MIDDLE, to),
		),
		whisker(scale(value.min), scale(value.max), MIDDLE),
		...figures,
	];
}

function nameOf({ subject }: SubjectResult, { baseline }: CaseResult, { plot: [from] }: BarLayout): string {
	const style = roleOf(subject, baseline) === 'own' ? 'label bold end' : 'label end';
	return text(from - 7, TEXT_BASE, subject, { class: style });
}

function missing({ delivered }: SubjectResult, x: number): string {
	const content = delivered < 1 ? `✕ ${formatShare(delivered)} delivered` : '✕ no value';
	return text(x + 7, TEXT_BASE, content, { class: 'label' });
}

function longest(of: CaseResult, { marked }: BarLayout): number {
	const values = Math.max(...of.subjects.map(({ value }) => value?.max ?? 0));
	const tails = of.subjects.flatMap((subject) => tailOf(subject, marked).map(({ value }) => value));
	const target = targetValue(of) ?? 0;
	return Math.max(Math.min(values * MOST_TAIL, Math.max(values, ...tails)), target) || 1;
}
