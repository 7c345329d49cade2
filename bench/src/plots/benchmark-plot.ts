import type { BenchmarkResult, CaseResult } from '../report/results.ts';
import { barLayout, isRoomy } from './bar-layout.ts';
import { barPanel } from './bar-panel.ts';
import { columns, stack, translated, type Block } from './block.ts';
import { curveFamilies, curvesOf, isPoint } from './curves.ts';
import { describe } from './description.ts';
import { footer } from './footer.ts';
import { legend } from './legend.ts';
import { linePanel } from './line-panel.ts';
import { element, leaf, text } from './svg.ts';
import { wrap } from './text-width.ts';
import { SIZE, STYLE } from './theme.ts';

const WIDTH = 860;
const MARGIN = 24;
const INNER = WIDTH - 2 * MARGIN;
const COLUMN_GAP = 36;
const PANEL_GAP = 24;
const TITLE_LINE = 23;

/** The whole picture, an SVG document: the same for the same result. */
export function plotBenchmark(result: BenchmarkResult): string {
	const bars = result.cases.filter((one) => !isPoint(one));
	const panels = [...(bars.length > 0 ? [barPanels(bars)] : []), ...linePanels(result.cases)];
	const head = stack([title(result.title), legend(result, INNER)], 4);
	const content = stack([head, ...panels, footer(result.machine, INNER)], PANEL_GAP);
	return document(result, content);
}

function barPanels(bars: readonly CaseResult[]): Block {
	const half = barLayout(bars, (INNER - COLUMN_GAP) / 2);
	const isHalved = bars.length > 1 && isRoomy(half, bars);
	const layout = isHalved ? half : barLayout(bars, INNER);
	const panels = bars.map((one) => barPanel(one, layout));
	return columns(panels, isHalved ? 2 : 1, layout.width, [COLUMN_GAP, PANEL_GAP]);
}

function linePanels(cases: readonly CaseResult[]): Block[] {
	const points = cases.filter(isPoint);
	const subjects = [...new Set(points.flatMap((one) => one.subjects.map(({ subject }) => subject)))];
	return curveFamilies(points).map((family) => linePanel(family, curvesOf(family, subjects), INNER));
}

function title(content: string): Block {
	const lines = wrap(content, SIZE.title, INNER, 'bold');
	return {
		height: lines.length * TITLE_LINE,
		markup: lines.map((part, index) => text(0, 16 + index * TITLE_LINE, part, { class: 'title' })).join('\n'),
	};
}

function document(result: BenchmarkResult, content: Block): string {
	const height = Math.ceil(content.height + 2 * MARGIN);
	const svg = element(
		'svg',
		{
			xmlns: 'http://www.w3.org/2000/svg',
			viewBox: `0 0 ${WIDTH} ${height}`,
			width: WIDTH,
			height,
			role: 'img',
			'aria-labelledby': 'title description',
		},
		leaf('title', { id: 'title' }, result.title),
		leaf('desc', { id: 'description' }, describe(result)),
		element('style', {}, STYLE),
		element('rect', { class: 'background', x: 0.5, y: 0.5, width: WIDTH - 1, height: height - 1, rx: 6 }),
		translated(MARGIN, MARGIN, content.markup),
	);
	return `${svg}\n`;
}
