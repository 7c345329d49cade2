import type { Sample } from '../report/results.ts';
import type { Ledger } from './ledger.ts';

/** Something that can do the work of a case, once per round. */
export interface Contender {
	readonly subject: string;
	round(): Promise<Sample>;
}

/**
 * Runs the contenders in turn, each next to a round of the baseline: a machine that gets slower or faster does so for both.
 */
export async function alternate(contenders: readonly Contender[], rounds: number, ledger: Ledger): Promise<void> {
	const name = ledger.comparison.baseline;
	const baseline = contenders.find(({ subject }) => subject === name);
	if (baseline === undefined) throw new Error(`${name} is not among the subjects`);
	const others = contenders.filter((contender) => contender !== baseline);
	for (let round = 0; round < rounds; round++) {
		for (const [index, other] of others.entries()) {
			const baselineFirst = (round + index) % 2 === 0;
			const first = await (baselineFirst ? baseline : other).round();
			const second = await (baselineFirst ? other : baseline).round();
			const [sample, against] = baselineFirst ? [second, first] : [first, second];
			ledger.add(name, against, against);
			ledger.add(other.subject, sample, against);
		}
	}
}
