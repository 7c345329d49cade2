import type { Curve } from './curves.ts';
import type { Scale } from './scale.ts';
import { element, line, path } from './svg.ts';

export interface Scales {
	readonly x: Scale;
	readonly y: Scale;
}

type Place = readonly [x: number, y: number];

/** Corners around the middle of a mark; the shapes tell curves apart without their colours. */
const SHAPES: readonly (readonly Place[])[] = [
	[
		[-3.5, -3.5],
		[3.5, -3.5],
		[3.5, 3.5],
		[-3.5, 3.5],
	],
	[],
	[
		[0, -5],
		[4.8, 3.5],
		[-4.8, 3.5],
	],
	[
		[0, -5],
		[5, 0],
		[0, 5],
		[-5, 0],
	],
	[
		[0, 5],
		[4.8, -3.5],
		[-4.8, -3.5],
	],
	[
		[-4, 0],
		[-1.5, -1.5],
		[0, -5],
		[1.5, -1.5],
		[5, 0],
		[1.5, 1.5],
		[0, 5],
		[-1.5, 1.5],
	],
];

/** A line with a mark and a min–max whisker per point, broken where nothing was delivered in full. */
export function curveMarks({ points, style, index }: Curve, { x, y }: Scales): string {
	const runs: Place[][] = [[]];
	for (const point of points) {
		if (point.result.value) runs.at(-1)?.push([x(point.x), y(point.result.value.median)]);
		else runs.push([]);
	}
	const whiskers = points.flatMap((point) => {
		const { value } = point.result;
		return value ? line(x(point.x), y(value.min), x(point.x), y(value.max), {}) : [];
	});
	return element(
		'g',
		{ class: style, stroke: 'currentColor', 'stroke-width': 1.5 },
		...whiskers,
		...runs
			.filter(({ length }) => length > 1)
			.map((run) => path(run, { fill: 'none', 'stroke-width': widthOf(style) })),
		...runs.flat().map(([px, py]) => pointMark(index, px, py)),
	);
}

export function widthOf(style: string): number {
	return style === 'own' ? 3 : 1.75;
}

/** In the colour of the group it is in. */
export function pointMark(index: number, x: number, y: number): string {
	const corners = SHAPES[index % SHAPES.length] ?? [];
	const attributes = { fill: 'currentColor', stroke: 'none' };
	if (corners.length === 0) return element('circle', { cx: x, cy: y, r: 4.2, ...attributes });
	return path(
		corners.map(([dx, dy]) => [x + dx, y + dy] as const),
		attributes,
	);
}
