/** Font sizes in pixels. */
export const SIZE = { title: 17, heading: 13, label: 12, small: 11 } as const;

/** How many peers are told apart by colour before it repeats. */
export const PEER_COLOURS = 5;

interface Palette {
	readonly background: string;
	readonly border: string;
	readonly ink: string;
	readonly muted: string;
	readonly grid: string;
	readonly own: string;
	readonly baseline: string;
	readonly peer: string;
	/** Of lines, where peers have to be told apart. */
	readonly peers: readonly string[];
}

// Own and peers after Okabe and Ito, for colour-blind readers; each has a contrast of 3:1 or more to its background.
const LIGHT: Palette = {
	background: '#ffffff',
	border: '#d1d9e0',
	ink: '#1f2328',
	muted: '#59636e',
	grid: '#e4e8ec',
	own: '#0072b2',
	baseline: '#3d444d',
	peer: '#8f98a2',
	peers: ['#d55e00', '#009e73', '#b8578f', '#a87400', '#7a5fc0'],
};

const DARK: Palette = {
	background: '#0d1117',
	border: '#3d444d',
	ink: '#f0f6fc',
	muted: '#9198a1',
	grid: '#21262d',
	own: '#56b4e9',
	baseline: '#d1d7e0',
	peer: '#6a727c',
	peers: ['#f0803c', '#1fb78c', '#de8fbd', '#e6b23c', '#a792e8'],
};

/**
 * The background is the picture's own, as an image follows the reader's system and not the theme of the page it is in.
 * What is drawn in `currentColor` takes its colour from a class of a role or a peer.
 */
export const STYLE: string = [
	"text { font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', Helvetica, Arial, sans-serif; font-variant-numeric: tabular-nums; }",
	...Object.entries(SIZE).map(([name, size]) => `.${name} { font-size: ${size}px; }`),
	'.bold, .title, .heading { font-weight: 600; }',
	'.middle { text-anchor: middle; }',
	'.end { text-anchor: end; }',
	...rules(LIGHT),
	'@media (prefers-color-scheme: dark) {',
	...rules(DARK),
	'}',
].join('\n');

function rules(palette: Palette): string[] {
	return [
		`.background { fill: ${palette.background}; stroke: ${palette.border}; }`,
		`text, .ink { fill: ${palette.ink}; }`,
		`.muted { fill: ${palette.muted}; }`,
		`.grid { stroke: ${palette.grid}; }`,
		`.axis { stroke: ${palette.muted}; }`,
		`.mark { stroke: ${palette.ink}; }`,
		`.halo { stroke: ${palette.background}; }`,
		`.hole { fill: ${palette.background}; }`,
		...(['own', 'baseline', 'peer'] as const).map((role) => `.${role} { color: ${palette[role]}; }`),
		...palette.peers.map((colour, index) => `.peer-${index} { color: ${colour}; }`),
	];
}
