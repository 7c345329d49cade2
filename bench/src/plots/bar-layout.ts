import type { CaseResult } from '../report/results.ts';
import { columnsFor, type Column } from './bar-columns.ts';
import { caseHeading, isBesideRoomy } from './panel-heading.ts';
import { markedPercentiles } from './percentiles.ts';
import { roleOf } from './role.ts';
import { textWidth } from './text-width.ts';
import { SIZE } from './theme.ts';

/** The same for all panels of a picture, so that they line up. */
export interface BarLayout {
	readonly width: number;
	/** Where the bars begin and where the longest may end. */
	readonly plot: readonly [from: number, to: number];
	/** Each with its right edge. */
	readonly columns: readonly (Column & { readonly end: number })[];
	/** The percentiles that have a mark of their own. */
	readonly marked: readonly string[];
	/** Whether what is measured stands beside the name of the case. */
	readonly isHeadingBeside: boolean;
}

const GAP = 14;
const LEAST_PLOT_WIDTH = 110;

export function barLayout(cases: readonly CaseResult[], width: number): BarLayout {
	const names = cases.flatMap(({ subjects, baseline }) =>
		subjects.map(({ subject }) => {
			return textWidth(subject, SIZE.label, roleOf(subject, baseline) === 'own' ? 'bold' : 'regular');
		}),
	);
	let end = width;
	const columns = columnsFor(cases)
		.toReversed()
		.map((column) => {
			const texts = cases.flatMap((one) => one.subjects.map((subject) => column.textOf(subject, one)));
			const widths = texts.map((content) => textWidth(content, SIZE.label));
			const placed = { ...column, end };
			end -= Math.max(textWidth(column.heading, SIZE.small, 'bold'), ...widths) + GAP;
			return placed;
		});
	return {
		width,
		plot: [Math.max(...names) + GAP / 2, end],
		columns: columns.toReversed(),
		marked: markedPercentiles(cases.flatMap((one) => one.subjects)),
		isHeadingBeside: cases.every((one) => isBesideRoomy(one.name, caseHeading(one), width)),
	};
}

/** Whether bars and headings have enough room. */
export function isRoomy({ plot: [from, to], width }: BarLayout, cases: readonly CaseResult[]): boolean {
	const headings = cases.map(({ name }) => textWidth(name, SIZE.heading, 'bold'));
	return to - from >= LEAST_PLOT_WIDTH && Math.max(...headings) <= width;
}
