import type { BenchmarkResult, CaseResult, SubjectResult } from '../report/results.ts';
import { formatRatio, formatShare, formatTick, formatValue } from './format.ts';
import { caseHeading } from './panel-heading.ts';

/** All that the picture shows, in words, for those who cannot see it. */
export function describe({ cases }: BenchmarkResult): string {
	return cases.map(describeCase).join(' ');
}

function describeCase(one: CaseResult): string {
	const place = one.at ? ` at ${formatTick(one.at.value, '')} ${one.at.of}` : '';
	const subjects = one.subjects.map((subject) => describeSubject(subject, one)).join('; ');
	return `${one.name}${place} (${caseHeading(one)}): ${subjects}.`;
}

function describeSubject({ subject, value, ratio, delivered }: SubjectResult, { unit, baseline }: CaseResult): string {
	const figures = [
		value && formatValue(value.median, unit),
		subject === baseline ? 'baseline' : ratio && formatRatio(ratio.median),
		delivered < 1 && `${formatShare(delivered)} delivered`,
	];
	return `${subject} ${figures.filter(Boolean).join(', ')}`;
}
