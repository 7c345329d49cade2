import type { TopLevelSpec } from 'vega-lite';
import type { CaseResult } from '../report/results.ts';
import { SIZE } from './theme.ts';

/** A part of a picture, as wide as all of them; x counts from the left margin, y from the top of the panel. */
export type Panel = Extract<TopLevelSpec, { vconcat: unknown }>['vconcat'][number] & { readonly height: number };
export type Layer = Extract<TopLevelSpec, { layer: unknown }>['layer'][number];
export type Encoding = NonNullable<Extract<Layer, { mark: unknown }>['encoding']>;
/** A quantitative channel without its field. */
export type Position = Omit<
	Extract<NonNullable<Encoding['x']>, { scale?: unknown; axis?: unknown; stack?: unknown }>,
	'field' | 'datum'
>;

export const WIDTH: number = SIZE.width - 2 * SIZE.margin;
/** What stands above a panel's plot: the panel's heading, then the column headings. */
export const HEAD = 40;

/** A text at a fixed place. */
export function label(text: string, x: number, y: number, more: object = {}): Layer {
	return { data: { values: [{}] }, mark: { type: 'text', text, x, y, ...more } };
}

/** What is measured, and in which unit. */
export function headings(name: string, { unit, better }: Pick<CaseResult, 'unit' | 'better'>): Layer[] {
	return [
		label(name, 0, 8, { style: 'heading' }),
		label(`${unit}, ${better} is better`, WIDTH, 8, { style: 'note', align: 'right' }),
	];
}

/** Figures below each other, aligned at the right; the last column of a panel is 0. */
export function column(heading: string, field: string, fromRight: number, y: Encoding, style?: 'note'): Layer[] {
	const x = WIDTH - fromRight * SIZE.column;
	return [
		label(heading, x, HEAD - 10, { style: 'note', align: 'right' }),
		{
			mark: { type: 'text', x, align: 'right', ...(style && { style }) },
			encoding: { ...y, text: { field, type: 'nominal' } },
		},
	];
}
