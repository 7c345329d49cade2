import type { TopLevelSpec } from 'vega-lite';
import type { CaseResult } from '../report/results.ts';
import { SIZE } from './theme.ts';

/** A part of a picture. All panels have the same width. x counts from the left margin, y from the top of the panel. */
export type Panel = Extract<TopLevelSpec, { vconcat: unknown }>['vconcat'][number] & { readonly height: number };
export type Layer = Extract<TopLevelSpec, { layer: unknown }>['layer'][number];
export type Encoding = NonNullable<Extract<Layer, { mark: unknown }>['encoding']>;
/** A quantitative channel without its field. */
export type Position = Omit<
	Extract<NonNullable<Encoding['x']>, { scale?: unknown; axis?: unknown; stack?: unknown }>,
	'field' | 'datum'
>;

export const WIDTH: number = SIZE.width - 2 * SIZE.margin;
/** The height of the headings above a panel's plot: the panel's own heading, and those of the columns. */
export const HEAD = 40;

/** Draws a text at a fixed place. */
export function label(text: string, x: number, y: number, more: object = {}): Layer {
	return { data: { values: [{}] }, mark: { type: 'text', text, x, y, ...more } };
}

/** Draws a panel's heading: what is measured, and in which unit. */
export function headings(name: string, { unit, better }: Pick<CaseResult, 'unit' | 'better'>): Layer[] {
	return [
		label(name, 0, 8, { style: 'heading' }),
		label(`${unit}, ${better} is better`, WIDTH, 8, { style: 'note', align: 'right' }),
	];
}

/** Draws a column of figures, aligned at the right. Columns are counted from the right, beginning with 0. */
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
