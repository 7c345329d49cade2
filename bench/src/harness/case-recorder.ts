import type { CaseResult, Sample, SubjectResult } from '../report/results.ts';
import { mediansOf, spread } from './statistics.ts';

/** A case that has not been measured yet. */
export type Comparison = Omit<CaseResult, 'subjects'>;

interface Pair {
	readonly sample: Sample;
	/** The baseline's sample of the same round. */
	readonly against: Sample;
}

/** Collects the samples of a case. */
export class CaseRecorder {
	readonly comparison: Comparison;
	readonly #pairs = new Map<string, Pair[]>();

	constructor(comparison: Comparison) {
		this.comparison = comparison;
		this.#pairs.set(comparison.baseline, []);
	}

	/**
	 * Adds a subject's sample, and the baseline's sample of the same round. For the baseline itself, both are the same.
	 */
	add(subject: string, sample: Sample, against: Sample): void {
		const pairs = this.#pairs.get(subject) ?? [];
		this.#pairs.set(subject, pairs);
		pairs.push({ sample, against });
	}

	/** Summarizes the samples. Ratios to the baseline are calculated pair by pair. */
	result(): CaseResult {
		return { ...this.comparison, subjects: Array.from(this.#pairs, ([subject, pairs]) => summary(subject, pairs)) };
	}
}

function summary(subject: string, pairs: readonly Pair[]): SubjectResult {
	const samples = pairs.map(({ sample }) => sample);
	const complete = samples.filter(isComplete);
	const ratios = pairs
		.filter(({ sample, against }) => isComplete(sample) && isComplete(against) && against.value > 0)
		.map(({ sample, against }) => sample.value / against.value);
	return {
		subject,
		...(complete.length > 0 && { value: spread(complete.map(({ value }) => value)) }),
		...(ratios.length > 0 && { ratio: spread(ratios) }),
		delivered: Math.min(...samples.map(({ delivered }) => delivered)),
		cpu: mediansOf(complete.map(({ cpu = {} }) => cpu)),
		more: mediansOf(complete.map(({ more = {} }) => more)),
		rounds: samples.map(({ value, delivered }) => ({ value, delivered })),
	};
}

/** Whether everything was delivered. The value of a round with losses is not valid. */
function isComplete({ delivered }: Sample): boolean {
	return delivered === 1;
}
