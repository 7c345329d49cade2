import { growthAxis, roomyTicks, valueAxis } from './axis.ts';
import { stack, type Block } from './block.ts';
import { endLabels, endLabelWidth } from './curve-labels.ts';
import { curveMarks } from './curve-marks.ts';
import type { Curve, CurveFamily } from './curves.ts';
import { deliveryRows, isLossy } from './delivery-rows.ts';
import { caseHeading, isBesideRoomy, panelHeading } from './panel-heading.ts';
import { measuredPercentile, percentileLabel } from './percentiles.ts';
import { line, text } from './svg.ts';
import { textWidth } from './text-width.ts';
import { SIZE } from './theme.ts';

const HEIGHT = 230;
/** Around the points, so that they and their labels are not cut by the frame. */
const INSET = 16;
const X_LABELS = 22;

/** How something grows: a curve per subject. */
export function linePanel(family: CurveFamily, curves: readonly Curve[], width: number): Block {
	const spreads = curves.flatMap(({ points }) => points.flatMap(({ result }) => result.value ?? []));
	const values = spreads.flatMap(({ min, max }) => [min, max]);
	const y = valueAxis(values.length > 0 ? values : [1], family.unit, [HEIGHT, 8]);
	const left =
		8 +
		Math.max(
			...y.ticks.map(({ label }) => textWidth(label, SIZE.small)),
			...curves.filter(isLossy).map(({ subject }) => textWidth(subject, SIZE.small)),
		);
	const xLabel = `${family.of} (log)`;
	const right = width - Math.max(endLabelWidth(curves, family.unit), textWidth(xLabel, SIZE.small) + 8);
	const places = family.cases.map(({ at }) => at.value);
	const x = growthAxis(places, [left + INSET, right - INSET]);
	const scales = { x: x.scale, y: y.scale };
	const delivery = deliveryRows(curves, x.scale, left);
	const percentile = family.cases.map(measuredPercentile)[0];
	const details = `${percentile ? `${percentileLabel(percentile)} in ` : ''}${caseHeading(family)}${y.isLog ? ' (log)' : ''}`;
	const body = [
		...y.ticks.flatMap(({ value, label }) => [
			line(left, y.scale(value), right, y.scale(value), { class: 'grid' }),
			text(left - 7, y.scale(value) + 4, label, { class: 'small muted end' }),
		]),
		line(left, HEIGHT, right, HEIGHT, { class: 'axis' }),
		...x.ticks.map(({ value }) => line(x.scale(value), HEIGHT, x.scale(value), HEIGHT + 4, { class: 'axis' })),
		...roomyTicks(x, 40).map(({ value, label }) =>
			text(x.scale(value), HEIGHT + 17, label, { class: 'small muted middle' }),
		),
		text(right + 8, HEIGHT + 17, x.isLog ? xLabel : family.of, { class: 'small muted' }),
		...curves.toReversed().map((curve) => curveMarks(curve, scales)),
		endLabels(curves, family.unit, scales, [right, HEIGHT]),
	];
	return stack(
		[
			panelHeading(family.name, details, width, isBesideRoomy(family.name, details, width)),
			{ height: HEIGHT + X_LABELS, markup: body.filter(Boolean).join('\n') },
			delivery,
		],
		6,
	);
}
