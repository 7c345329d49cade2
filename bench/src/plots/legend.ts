import type { BenchmarkResult, SubjectResult } from '../report/results.ts';
import { percentileMark, whisker } from './bar-marks.ts';
import { translated, type Block } from './block.ts';
import { isPoint } from './curves.ts';
import { markedPercentiles, percentileLabel } from './percentiles.ts';
import { roleOf, type Role } from './role.ts';
import { element, text } from './svg.ts';
import { textWidth } from './text-width.ts';
import { SIZE } from './theme.ts';

interface Entry {
	/** Drawn around the middle of 0…20. */
	readonly sample: string;
	readonly label: string;
}

const SAMPLE = 26;
const GAP = 20;
const ROW = 20;
const MIDDLE = 10;

/** What is drawn, and how; only what occurs. */
export function legend({ cases }: BenchmarkResult, width: number): Block {
	const bars = cases.filter((one) => !isPoint(one));
	const subjects = cases.flatMap((one) => one.subjects);
	const entries = [
		...roles(bars),
		{ sample: whisker(2, 18, MIDDLE), label: 'lowest to highest round' },
		...percentiles(bars.flatMap((one) => one.subjects)),
		...losses(subjects),
	];
	let x = 0;
	let y = 0;
	const markup = entries.map(({ sample, label }) => {
		const wide = SAMPLE + textWidth(label, SIZE.small);
		if (x > 0 && x + wide > width) [x, y] = [0, y + ROW];
		const entry = translated(x, y, [sample, text(SAMPLE, MIDDLE + 4, label, { class: 'small muted' })].join('\n'));
		x += wide + GAP;
		return entry;
	});
	return { height: y + ROW, markup: markup.join('\n') };
}

function roles(bars: BenchmarkResult['cases']): Entry[] {
	const labels: Record<Role, string> = { own: 'this system', baseline: 'baseline', peer: 'others' };
	const found = new Set(
		bars.flatMap(({ subjects, baseline }) => subjects.map(({ subject }) => roleOf(subject, baseline))),
	);
	return (['own', 'baseline', 'peer'] as const)
		.filter((role) => found.has(role))
		.map((role) => ({
			sample: element('rect', { class: role, x: 0, y: MIDDLE - 6, width: 20, height: 12, fill: 'currentColor' }),
			label: labels[role],
		}));
}

function percentiles(subjects: readonly SubjectResult[]): Entry[] {
	return markedPercentiles(subjects).map((name, index) => ({
		sample: element('g', { class: 'baseline' }, percentileMark(index, MIDDLE, MIDDLE)),
		label: percentileLabel(name),
	}));
}

function losses(subjects: readonly SubjectResult[]): Entry[] {
	if (subjects.every(({ delivered }) => delivered === 1)) return [];
	return [
		{ sample: text(MIDDLE, MIDDLE + 4, '✕', { class: 'label middle' }), label: 'share delivered in the worst round' },
	];
}
