import type { CaseResult, SubjectResult } from '../report/results.ts';
import { formatRatio, formatShare, formatValue } from './format.ts';
import { measuredPercentile, percentileLabel, percentilesOf } from './percentiles.ts';

/** Figures at the right of the bars. */
export interface Column {
	readonly heading: string;
	/** Whether the figures are not what the bars of the case show. */
	isAside(of: CaseResult): boolean;
	textOf(subject: SubjectResult, of: CaseResult): string;
}

const MEDIAN: Column = {
	heading: 'median',
	isAside: () => false,
	textOf: ({ value }, of) => (value && !measuredPercentile(of) ? formatValue(value.median, of.unit) : ''),
};

const RATIO: Column = {
	heading: 'ratio',
	isAside: () => false,
	textOf({ subject, ratio }, { baseline }) {
		if (subject === baseline) return 'baseline';
		return ratio ? formatRatio(ratio.median) : '';
	},
};

const DELIVERED: Column = {
	heading: 'delivered',
	isAside: () => false,
	textOf: (subject) => (isPartly(subject) ? `✕ ${formatShare(subject.delivered)}` : ''),
};

/** Those that have something to say in any of the cases. */
export function columnsFor(cases: readonly CaseResult[]): Column[] {
	const subjects = cases.flatMap((one) => one.subjects);
	const measured = cases.map(measuredPercentile);
	const percentiles = new Set([...percentilesOf(subjects), ...measured.flatMap((name) => name ?? [])]);
	return [
		...(measured.includes(undefined) ? [MEDIAN] : []),
		...[...percentiles].toSorted().map(percentileColumn),
		RATIO,
		...(subjects.some(isPartly) ? [DELIVERED] : []),
	];
}

function percentileColumn(name: string): Column {
	return {
		heading: percentileLabel(name),
		isAside: (of) => measuredPercentile(of) !== name,
		textOf({ value, more }, of) {
			const figure = measuredPercentile(of) === name ? value?.median : more?.[name];
			return figure === undefined ? '' : formatValue(figure, of.unit);
		},
	};
}

function isPartly({ value, delivered }: SubjectResult): boolean {
	return value !== undefined && delivered < 1;
}
