import { scale } from 'vega';
import type { CaseResult } from '../report/results.ts';
import { formatRatio, formatShare, formatTick, formatValue } from './format.ts';
import { column, HEAD, headings, label, WIDTH, type Encoding, type Layer, type Panel, type Position } from './panel.ts';
import { targetOf } from './target.ts';
import { LINE_COLORS, roleOf, SIZE } from './theme.ts';

/** A case that provides one point of each curve. */
export type PointCase = CaseResult & { readonly at: NonNullable<CaseResult['at']> };

const FROM = 66;
const BOTTOM = HEAD + 210;
/** The height of the labels below the plot. */
const X_LABELS = 22;
/** The distance from the end of a curve to its name. */
const LEADER = 26;
const CHARACTER_WIDTH = 6.8;
const LABEL_HEIGHT = 17;

const COLOR_FIELD: Encoding = { color: { field: 'color', type: 'nominal', scale: null } };

/** Draws how values grow, with a curve for each subject, whose name and last figures are at its end. */
export function curvePanel(points: readonly PointCase[]): Panel {
	const cases = points.toSorted((left, right) => left.at.value - right.at.value);
	const [first, last] = [cases[0], cases.at(-1)];
	if (first === undefined || last === undefined) throw new Error('A curve needs at least one point');
	const { at, unit } = last;
	const subjects = [...new Set(cases.flatMap((one) => one.subjects.map(({ subject }) => subject)))];
	const colors = colorsOf(subjects, last.baseline);
	const to = WIDTH - 2 * SIZE.column - LEADER - Math.max(...subjects.map(({ length }) => length)) * CHARACTER_WIDTH;
	const heights = scale('linear')()
		.domain([0, highest(cases)])
		.range([BOTTOM, HEAD])
		.nice(5);
	const target = targetOf(last);
	const place = `at ${formatTick(at.value, '')}`;
	const isLog = first.at.value > 0;
	const axis = { title: null, domain: false } as const;
	const encoding: Encoding = {
		...COLOR_FIELD,
		x: {
			field: 'at',
			type: 'quantitative',
			scale: { type: isLog ? 'log' : 'linear', domain: [first.at.value, at.value], nice: false, range: [FROM, to] },
			axis: {
				...axis,
				grid: false,
				offset: 4 - X_LABELS,
				labelFlush: false,
				...ticks(
					cases.map((one) => one.at.value),
					'',
				),
			},
		},
	};
	const y: Position = {
		type: 'quantitative',
		scale: { domain: heights.domain(), range: [BOTTOM, HEAD] },
		axis: { ...axis, offset: -FROM, labelPadding: 10, ...ticks(heights.ticks(5), unit) },
	};
	return {
		width: WIDTH,
		height: BOTTOM + X_LABELS,
		data: { values: cases.flatMap((one) => rowsOf(one, colors)) },
		layer: [
			...headings(last.name, last),
			{
				mark: { type: 'rule', strokeWidth: 1.2 },
				encoding: { ...encoding, y: { ...y, field: 'min' }, y2: { field: 'max' } },
			},
			{
				mark: { type: 'line', strokeWidth: 2 },
				encoding: { ...encoding, y: { ...y, field: 'value' }, detail: { field: 'subject', type: 'nominal' } },
			},
			{
				mark: { type: 'point', filled: true, opacity: 1, size: 45 },
				encoding: { ...encoding, y: { ...y, field: 'value' } },
			},
			{
				transform: [{ filter: 'datum.loss' }],
				mark: { type: 'text', dy: -9, align: 'center', style: 'note' },
				encoding: { ...encoding, y: { ...y, field: 'lossAt' }, text: { field: 'loss', type: 'nominal' } },
			},
			...(target ? [label(`${target.text} ${place}`, to, HEAD - 10, { style: 'target', align: 'right' })] : []),
			label(isLog ? `${at.of} (log)` : at.of, to + LEADER, BOTTOM + 13, { style: 'note' }),
			{ data: { values: endsOf(last, colors, heights) }, layer: endLayers(place, to) },
		],
	};
}

function rowsOf({ at, subjects }: PointCase, colors: ReadonlyMap<string, string>): object[] {
	return subjects.map(({ subject, value, delivered }) => ({
		subject,
		at: at.value,
		value: value?.median ?? null,
		min: value?.min ?? null,
		max: value?.max ?? null,
		color: colors.get(subject),
		loss: delivered < 1 ? `✕ ${formatShare(delivered)}` : '',
		lossAt: value?.max ?? 0,
	}));
}

/**
 * Returns the ends of the curves, with the places for their names, which are moved apart where curves end close
 * together.
 */
function endsOf(last: PointCase, colors: ReadonlyMap<string, string>, heights: (value: number) => number): object[] {
	const ends = last.subjects
		.map(({ subject, value, ratio, delivered }) => ({
			subject,
			color: colors.get(subject),
			weight: roleOf(subject, last.baseline) === 'own' ? 'bold' : 'normal',
			end: heights(value?.median ?? 0),
			value: value ? formatValue(value.median, last.unit) : `✕ ${formatShare(delivered)}`,
			ratio: subject === last.baseline ? 'baseline' : ratio ? formatRatio(ratio.median) : '',
		}))
		.toSorted((left, right) => left.end - right.end);
	const places = spread(
		ends.map(({ end }) => end),
		LABEL_HEIGHT,
		BOTTOM - LABEL_HEIGHT / 2,
	);
	return ends.map((end, index) => ({ ...end, place: places[index] }));
}

function endLayers(place: string, to: number): Layer[] {
	const pixels: Position = { type: 'quantitative', scale: null, axis: null };
	const y: Encoding = { y: { ...pixels, field: 'place' } };
	const leader: Encoding = {
		x: { value: to + 6 },
		x2: { value: to + LEADER - 4 },
		y: { ...pixels, field: 'end' },
		y2: { field: 'place' },
	};
	return [
		{ mark: { type: 'rule', strokeWidth: 0.8, opacity: 0.7 }, encoding: { ...COLOR_FIELD, ...leader } },
		{
			mark: { type: 'text', x: to + LEADER, fontWeight: { expr: 'datum.weight' } },
			encoding: { ...COLOR_FIELD, ...y, text: { field: 'subject', type: 'nominal' } },
		},
		...column(place, 'value', 1, y),
		...column('ratio', 'ratio', 0, y),
	];
}

/**
 * Moves ascending places so that they are at least `distance` apart and at most at `end`, but remain near their
 * original places.
 */
export function spread(places: readonly number[], distance: number, end: number): number[] {
	const spaced: number[] = [];
	for (const place of places) spaced.push(Math.max(place, (spaced.at(-1) ?? -Infinity) + distance));
	return spaced.map((place, index) => Math.min(place, end - (spaced.length - 1 - index) * distance));
}

/** Assigns colours to subjects. The baseline and this system have colours of their own; peers get theirs in turn. */
function colorsOf(subjects: readonly string[], baseline: string): ReadonlyMap<string, string> {
	const byRole = Map.groupBy(subjects, (subject) => roleOf(subject, baseline));
	const entries = [...byRole].flatMap(([role, names]) => {
		const colors = LINE_COLORS[role];
		return names.map((name, index) => [name, colors[index % colors.length] as string] as const);
	});
	return new Map(entries);
}

function highest(cases: readonly PointCase[]): number {
	return Math.max(...cases.flatMap(({ subjects }) => subjects.map(({ value }) => value?.max ?? 0))) || 1;
}

/** Returns a tick for each value, labelled in the format of the chart's other figures. */
function ticks(values: readonly number[], unit: string): { values: number[]; labelExpr: string } {
	const labels = Object.fromEntries(values.map((value) => [value, formatTick(value, unit)]));
	return { values: [...values], labelExpr: `${JSON.stringify(labels)}[datum.value]` };
}
