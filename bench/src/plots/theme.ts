import type { Config } from 'vega-lite';

/**
 * Sizes in pixels: the width and margin of a picture, the height of a row (a bar and its spacing), and the width of a
 * column of numbers.
 */
export const SIZE = { width: 860, margin: 24, row: 20, column: 66 } as const;

export const COLOR = { ink: '#1f2328', muted: '#59636e', grid: '#e4e8ec', target: '#c2410c' } as const;

/** The colours of bars, light enough for dark whiskers to stand out. */
export const BAR_COLORS = { own: '#3d9bd9', baseline: '#8b949e', peer: '#ccd2d8' } as const;
/**
 * The colours of lines, based on Okabe and Ito's palette for colour-blind readers, but dark enough for text on white.
 */
export const LINE_COLORS = {
	own: ['#005a9c', '#1f8fdd'],
	baseline: ['#3d444d'],
	peer: ['#b84d00', '#007a58', '#a8477d', '#7d5a00', '#6a4fb5'],
} as const;

export type Role = keyof typeof BAR_COLORS;

export function roleOf(subject: string, baseline: string): Role {
	if (subject === baseline) return 'baseline';
	return subject.startsWith('orijs') ? 'own' : 'peer';
}

/** The background is opaque, so that a picture is legible on both light and dark pages. */
export const CONFIG: Config = {
	background: '#ffffff',
	font: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', Helvetica, Arial, sans-serif",
	aria: false,
	view: { stroke: null },
	axis: {
		domainColor: COLOR.muted,
		gridColor: COLOR.grid,
		labelColor: COLOR.ink,
		labelFontSize: 12,
		labelLimit: 0,
		ticks: false,
	},
	style: {
		text: { fontSize: 12, color: COLOR.ink, baseline: 'middle', align: 'left' },
		title: { fontSize: 17, fontWeight: 600 },
		heading: { fontSize: 13, fontWeight: 600 },
		note: { fontSize: 11, color: COLOR.muted },
		target: { fontSize: 11, color: COLOR.target },
	},
};
