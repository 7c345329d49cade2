import type { CaseResult, SubjectResult } from '../report/results.ts';

/** The percentiles among the further figures (`p99`; `p999` is `p99.9`), ascending; they are in the unit of the value. */
export function percentilesOf(subjects: readonly SubjectResult[]): string[] {
	const names = new Set(subjects.flatMap(({ more }) => Object.keys(more ?? {})));
	return [...names].filter((name) => /^p\d\d[\d.]*$/.test(name)).toSorted();
}

/** Which percentile the values of a case are, where they are one: the p50, unless the further figures tell otherwise. */
export function measuredPercentile({ subjects }: Pick<CaseResult, 'subjects'>): string | undefined {
	const names = percentilesOf(subjects);
	const measured = names.find((name) => subjects.every(({ value, more }) => !value || more?.[name] === value.median));
	return measured ?? (names.length > 0 && !names.includes('p50') ? 'p50' : undefined);
}

/** Those that are drawn as marks beyond the bar of a subject, each with its place among all that have a mark. */
export function tailOf({ value, more }: SubjectResult, marked: readonly string[]): { value: number; index: number }[] {
	return marked.flatMap((name, index) => {
		const figure = more?.[name];
		return value && figure !== undefined && figure > value.median ? { value: figure, index } : [];
	});
}

/** Those that may lie beyond a bar. */
export function markedPercentiles(subjects: readonly SubjectResult[]): string[] {
	return percentilesOf(subjects).filter((name) => name !== 'p50');
}

export function percentileLabel(name: string): string {
	return name.replace(/^p(\d\d)(\d+)$/, 'p$1.$2');
}
