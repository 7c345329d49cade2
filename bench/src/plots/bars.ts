import type { CaseResult, SubjectResult } from '../report/results.ts';
import { formatRatio, formatShare, formatValue } from './format.ts';
import { column, HEAD, headings, WIDTH, type Encoding, type Layer, type Panel, type Position } from './panel.ts';
import { targetOf } from './target.ts';
import { BAR_COLORS, COLOR, roleOf, SIZE } from './theme.ts';

/** The x position at which bars begin: to the right of the longest name. */
const FROM = 190;
const GAP = 10;
/** The factor by which the axis is stretched if the share delivered is shown beside a bar. */
const LOSS_STRETCH = 1.4;

const START = { align: 'left', dx: 5 } as const;
const END = { align: 'right', dx: -5 } as const;

const AXIS = {
	title: null,
	offset: -FROM,
	labelPadding: 7,
	labelFontWeight: { condition: { test: "indexof(datum.value, 'orijs') === 0", value: 'bold' }, value: 'normal' },
} as const;

/** Draws one kind of work, with a bar from zero for each subject, and its figures at the right. */
export function barPanel(of: CaseResult): Panel {
	const figures = figuresOf(of.subjects);
	const height = HEAD + of.subjects.length * SIZE.row;
	const to = WIDTH - (figures.length + 1) * SIZE.column - GAP;
	const y: Encoding = {
		y: { field: 'subject', type: 'nominal', sort: null, scale: { range: [HEAD, height] }, axis: AXIS },
	};
	const x: Position = { type: 'quantitative', scale: { domain: [0, axisEnd(of)], range: [FROM, to] }, axis: null };
	return {
		width: WIDTH,
		height,
		data: { values: of.subjects.map((subject) => row(subject, of, figures)) },
		layer: [
			...headings(of.name, of),
			{
				mark: { type: 'bar', height: 12 },
				encoding: { ...y, x: { ...x, field: 'value' }, color: { field: 'color', type: 'nominal', scale: null } },
			},
			{
				transform: [{ filter: 'isValid(datum.value)' }],
				mark: { type: 'errorbar', color: COLOR.ink, ticks: { size: 7, color: COLOR.ink } },
				encoding: { ...y, x: { ...x, field: 'min' }, x2: { field: 'max' } },
			},
			{
				transform: [{ filter: 'datum.loss' }],
				mark: { type: 'text', dx: GAP, color: COLOR.target },
				encoding: { ...y, x: { ...x, field: 'max' }, text: { field: 'loss', type: 'nominal' } },
			},
			...figures.flatMap((figure, index) =>
				column(figure, `figures[${index}]`, figures.length - index, y, isDrawn(figure, of) ? undefined : 'note'),
			),
			...column('ratio', 'ratio', 0, y),
			...targetLayers(of, x),
		],
	};
}

function row(
	{ subject, value, ratio, delivered, more }: SubjectResult,
	of: CaseResult,
	names: readonly string[],
): object {
	const figures = names.map((name) => (isDrawn(name, of) ? value?.median : more?.[name]));
	return {
		subject,
		value: value?.median,
		min: value?.min,
		max: value?.max ?? 0,
		color: BAR_COLORS[roleOf(subject, of.baseline)],
		figures: figures.map((figure) => (figure === undefined ? '' : formatValue(figure, of.unit))),
		ratio: subject === of.baseline ? 'baseline' : ratio ? formatRatio(ratio.median) : '',
		loss: delivered < 1 ? `✕ ${formatShare(delivered)} delivered` : '',
	};
}

/** Returns the percentiles of a case (such as `p50` and `p99`), or `median` if it has none. */
function figuresOf(subjects: readonly SubjectResult[]): readonly string[] {
	const names = new Set(subjects.flatMap(({ more }) => Object.keys(more ?? {})));
	const percentiles = [...names].filter((name) => /^p\d/.test(name)).toSorted();
	return percentiles.length > 0 ? percentiles : ['median'];
}

/** Whether this figure is the one that the bars of a case show. */
function isDrawn(figure: string, { subjects }: CaseResult): boolean {
	return figure === 'median' || subjects.every(({ value, more }) => !value || more?.[figure] === value.median);
}

function axisEnd(of: CaseResult): number {
	const longest = Math.max(...of.subjects.map(({ value }) => value?.max ?? 0));
	const stretch = of.subjects.some(({ delivered }) => delivered < 1) ? LOSS_STRETCH : 1;
	return Math.max(longest * stretch, targetOf(of)?.value ?? 0) || 1;
}

/** Draws the target as a line down to the bar that has to reach it. */
function targetLayers(of: CaseResult, x: Position): Layer[] {
	const target = targetOf(of);
	if (target === undefined) return [];
	const place = of.subjects.findIndex(({ subject }) => subject === target.subject);
	const isRight = target.value > axisEnd(of) / 2;
	const encoding: Encoding = { x: { ...x, datum: target.value } };
	return [
		{
			data: { values: [{}] },
			mark: { type: 'rule', color: COLOR.target, strokeWidth: 1.5, y: HEAD - 16, y2: HEAD + (place + 1) * SIZE.row },
			encoding,
		},
		{
			data: { values: [{}] },
			mark: { type: 'text', style: 'target', text: target.text, y: HEAD - 10, ...(isRight ? END : START) },
			encoding,
		},
	];
}
