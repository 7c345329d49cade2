import { compile, type TopLevelSpec } from 'vega-lite';
import { parse, View } from 'vega';
import type { BenchmarkResult, CaseResult, Machine } from '../report/results.ts';
import { barPanel } from './bars.ts';
import { curvePanel, type PointCase } from './curves.ts';
import { label, WIDTH, type Layer, type Panel } from './panel.ts';
import { CONFIG, SIZE } from './theme.ts';

const PANEL_GAP = 32;

/** Draws the whole picture as an SVG document, which is always the same for the same result. */
export async function drawBenchmark(result: BenchmarkResult): Promise<string> {
	const panels = panelsOf(result);
	const height = panels.reduce((sum, panel) => sum + panel.height, (panels.length - 1) * PANEL_GAP);
	const spec: TopLevelSpec = {
		description: result.title,
		padding: SIZE.margin,
		autosize: 'none',
		config: CONFIG,
		bounds: 'flush',
		spacing: PANEL_GAP,
		vconcat: panels,
	};
	const view = new View(parse(compile(spec).spec), { renderer: 'none' }).width(WIDTH).height(height);
	const svg = await view.toSVG();
	view.finalize();
	return `${svg}\n`;
}

function panelsOf({ title, cases, machine }: BenchmarkResult): Panel[] {
	const bars = cases.filter((one) => !isPoint(one));
	const curves = Map.groupBy(cases.filter(isPoint), ({ name, unit }) => `${name} ${unit}`);
	return [
		text(34, label(title, 0, 8, { style: 'title' }), label(EXPLANATION, 0, 30, { style: 'note' })),
		...bars.map(barPanel),
		...[...curves.values()].map(curvePanel),
		text(12, label(describeMachine(machine), 0, 6, { style: 'note' })),
	];
}

const EXPLANATION =
	'Medians of all rounds; thin lines span the lowest to the highest round. Ratios compare with the baseline, round by round.';

function text(height: number, ...layer: Layer[]): Panel {
	return { width: WIDTH, height, layer };
}

function isPoint(one: CaseResult): one is PointCase {
	return one.at !== undefined;
}

function describeMachine({ cpu, cores, memoryGiB, os, bun, node, redis }: Machine): string {
	return `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${os}; Bun ${bun}, Node.js ${node}, Redis ${redis}`;
}
