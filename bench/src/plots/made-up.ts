/** Results for tests. */
import type { CaseResult, SubjectResult } from '../report/results.ts';

export function subject(name: string, median: number, more: Partial<SubjectResult> = {}): SubjectResult {
	const value = { median, min: median * 0.9, max: median * 1.1 };
	return { subject: name, value, delivered: 1, rounds: [], ...more };
}

/** Without a round in which everything arrived. */
export function lossy(name: string, delivered: number): SubjectResult {
	return { subject: name, delivered, rounds: [] };
}

export function caseOf(subjects: readonly SubjectResult[], more: Partial<CaseResult> = {}): CaseResult {
	return { name: 'a case', unit: 'deliveries/s', better: 'higher', baseline: 'raw Bun', subjects, ...more };
}
