import type { CaseResult, Sample, SubjectResult } from '../report/results.ts';
import { mediansOf, spread } from './statistics.ts';

/** What is known of a case before it is measured. */
export type Comparison = Omit<CaseResult, 'subjects'>;

interface Pair {
	readonly sample: Sample;
	/** The baseline's, measured right before or after. */
	readonly against: Sample;
}

/** What was measured in a case so far. */
export class Ledger {
	readonly comparison: Comparison;
	readonly #pairs = new Map<string, Pair[]>();

	constructor(comparison: Comparison) {
		this.comparison = comparison;
		this.#pairs.set(comparison.baseline, []);
	}

	/** Of the baseline itself, `sample` and `against` are the same. */
	add(subject: string, sample: Sample, against: Sample): void {
		const pairs = this.#pairs.get(subject) ?? [];
		this.#pairs.set(subject, pairs);
		pairs.push({ sample, against });
	}

	/** With each subject's ratio to the baseline, pair by pair. */
	result(): CaseResult {
		return { ...this.comparison, subjects: Array.from(this.#pairs, ([subject, pairs]) => summary(subject, pairs)) };
	}
}

function summary(subject: string, pairs: readonly Pair[]): SubjectResult {
	const samples = pairs.map(({ sample }) => sample);
	const whole = samples.filter(isWhole);
	const ratios = pairs
		.filter(({ sample, against }) => isWhole(sample) && isWhole(against) && against.value > 0)
		.map(({ sample, against }) => sample.value / against.value);
	return {
		subject,
		...(whole.length > 0 && { value: spread(whole.map(({ value }) => value)) }),
		...(ratios.length > 0 && { ratio: spread(ratios) }),
		delivered: Math.min(...samples.map(({ delivered }) => delivered)),
		cpu: mediansOf(whole.map(({ cpu = {} }) => cpu)),
		more: mediansOf(whole.map(({ more = {} }) => more)),
		rounds: samples.map(({ value, delivered }) => ({ value, delivered })),
	};
}

/** A round in which something was lost has no speed. */
function isWhole({ delivered }: Sample): boolean {
	return delivered === 1;
}
