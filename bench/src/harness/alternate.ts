import type { Sample } from '../report/results.ts';
import type { Ledger } from './ledger.ts';

/** Something that can do the work of a case, once per round. */
export interface Contender {
	readonly subject: string;
	round(): Promise<Sample>;
}

/**
 * Runs the contenders in turn, each once per round, and pairs each with the baseline of its round: a machine that gets slower or faster
 * does so for all. Nobody comes twice in a row, which would be an advantage: the caches are full of one's own then.
 */
export async function alternate(contenders: readonly Contender[], rounds: number, ledger: Ledger): Promise<void> {
	const baseline = contenders.find(({ subject }) => subject === ledger.comparison.baseline);
	if (baseline === undefined) throw new Error(`${ledger.comparison.baseline} is not among the subjects`);
	for (let round = 0; round < rounds; round++) {
		const samples = new Map<Contender, Sample>();
		for (const contender of contenders) samples.set(contender, await contender.round());
		const against = samples.get(baseline) as Sample;
		for (const [contender, sample] of samples) ledger.add(contender.subject, sample, against);
	}
}
