import type { Scale } from './scale.ts';
import { element, line, path } from './svg.ts';

/** From the lowest to the highest round; the halo keeps it visible on a bar of any colour. */
export function whisker(from: number, to: number, y: number): string {
	const strokes = [
		line(from, y, to, y, {}),
		line(from, y - 3.5, from, y + 3.5, {}),
		line(to, y - 3.5, to, y + 3.5, {}),
	];
	return [
		element('g', { class: 'halo', 'stroke-width': 3, 'stroke-linecap': 'square' }, ...strokes),
		element('g', { class: 'mark' }, ...strokes),
	].join('\n');
}

/** Percentiles beyond the bar, ascending: a mark each on a thin line, or an arrow where they lie beyond the plot. */
export function tail(
	percentiles: readonly { readonly value: number; readonly index: number }[],
	from: number,
	scale: Scale,
	y: number,
	end: number,
): string[] {
	const places = percentiles.map(({ value, index }) => ({ x: scale(value), index }));
	const farthest = Math.max(from, ...places.map(({ x }) => x));
	const reach = line(from, y, Math.min(farthest, end), y, { stroke: 'currentColor', 'stroke-width': 1.5 });
	return [reach, ...places.map(({ x, index }) => (x > end ? arrow(end, y) : percentileMark(index, x, y)))];
}

/** A circle for the first, diamonds for those after it. */
export function percentileMark(index: number, x: number, y: number): string {
	const attributes = { class: 'hole', stroke: 'currentColor', 'stroke-width': 1.5 };
	if (index === 0) return element('circle', { cx: x, cy: y, r: 3.5, ...attributes });
	return element('path', { d: diamond(x, y, 4.5), fill: 'currentColor' });
}

function arrow(x: number, y: number): string {
	const points = [
		[x - 5, y - 4],
		[x, y],
		[x - 5, y + 4],
	] as const;
	return path(points, { fill: 'none', stroke: 'currentColor', 'stroke-width': 1.5 });
}

function diamond(x: number, y: number, radius: number): string {
	const [cx, cy] = [Math.round(x * 10) / 10, Math.round(y * 10) / 10];
	return `M${cx} ${cy - radius}l${radius} ${radius}l${-radius} ${radius}l${-radius} ${-radius}z`;
}
