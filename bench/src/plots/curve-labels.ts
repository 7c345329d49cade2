import { pointMark, widthOf, type Scales } from './curve-marks.ts';
import type { Curve } from './curves.ts';
import { formatRatio, formatTick, formatValue } from './format.ts';
import { spread } from './spread.ts';
import { element, line, text } from './svg.ts';
import { textWidth } from './text-width.ts';
import { SIZE } from './theme.ts';

const ROW = 30;
const LEADER = 22;
const SAMPLE = 22;
const GAP = 6;

/** The legend: at the end of each curve its name, and what it came to. */
export function endLabels(
	curves: readonly Curve[],
	unit: string,
	scales: Scales,
	[right, height]: readonly [number, number],
): string {
	const lastPlace = lastPlaceOf(curves);
	const labelled = curves.flatMap((curve) => {
		const last = lastPoint(curve);
		return last ? { curve, figures: figuresOf(curve, unit, lastPlace), end: last } : [];
	});
	const wanted = labelled.map(({ end }) => scales.y(end.value.median));
	const places = spread(wanted, ROW, [6, height - 20]);
	return labelled
		.map(({ curve, figures, end }, index) => {
			const y = places[index] ?? 0;
			const x = right + LEADER;
			const isOwn = curve.style === 'own';
			return element(
				'g',
				{ class: curve.style, stroke: 'currentColor' },
				line(scales.x(end.x) + 7, wanted[index] ?? 0, x - 3, y, { 'stroke-opacity': 0.45, 'stroke-dasharray': '1 3' }),
				line(x, y, x + SAMPLE, y, { 'stroke-width': widthOf(curve.style) }),
				pointMark(curve.index, x + SAMPLE / 2, y),
				text(x + SAMPLE + GAP, y + 4, curve.subject, { class: isOwn ? 'label bold' : 'label', stroke: 'none' }),
				text(x + SAMPLE + GAP, y + 17, figures, { class: 'small muted', stroke: 'none' }),
			);
		})
		.join('\n');
}

export function endLabelWidth(curves: readonly Curve[], unit: string): number {
	const lastPlace = lastPlaceOf(curves);
	const texts = [
		...curves.map(({ subject }) => textWidth(subject, SIZE.label, 'bold')),
		...curves.map((curve) => textWidth(figuresOf(curve, unit, lastPlace), SIZE.small)),
	];
	return LEADER + SAMPLE + GAP + Math.max(0, ...texts);
}

/** `1.24M/s · 0.98×`; of a curve that ends before the others, also where. */
function figuresOf(curve: Curve, unit: string, lastPlace: number): string {
	const last = lastPoint(curve);
	if (!last) return '';
	const ratio = curve.style === 'baseline' ? 'baseline' : last.ratio && formatRatio(last.ratio.median);
	const place = last.x < lastPlace && `at ${formatTick(last.x, '')}`;
	return [formatValue(last.value.median, unit), ratio, place].filter(Boolean).join(' · ');
}

function lastPoint({ points }: Curve) {
	return points.flatMap(({ x, result: { value, ratio } }) => (value ? { x, value, ratio } : [])).at(-1);
}

function lastPlaceOf(curves: readonly Curve[]): number {
	return Math.max(...curves.flatMap(({ points }) => points.map(({ x }) => x)));
}
