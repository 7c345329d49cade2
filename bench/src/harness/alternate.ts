import type { Sample } from '../report/results.ts';
import type { Ledger } from './ledger.ts';

/** Something that can do the work of a case, once per round. */
export interface Contender {
	readonly subject: string;
	round(): Promise<Sample>;
}

/**
 * Runs the contenders in turn, each once per round, and pairs each with the baseline of its round: a machine that gets slower or faster
 * does so for all. The order is another one each round, and nobody comes twice in a row: who was on before has filled the caches, with
 * what is one's own or with something else, and that makes some percent.
 */
export async function alternate(contenders: readonly Contender[], rounds: number, ledger: Ledger): Promise<void> {
	const baseline = contenders.find(({ subject }) => subject === ledger.comparison.baseline);
	if (baseline === undefined) throw new Error(`${ledger.comparison.baseline} is not among the subjects`);
	let last: Contender | undefined;
	for (let round = 0; round < rounds; round++) {
		const samples = new Map<Contender, Sample>();
		for (const contender of shuffled(contenders, last)) {
			samples.set(contender, await contender.round());
			last = contender;
		}
		const against = samples.get(baseline) as Sample;
		for (const contender of contenders) ledger.add(contender.subject, samples.get(contender) as Sample, against);
	}
}

/** In any order in which `last` does not come first, unless it is alone. */
function shuffled<T>(items: readonly T[], last: T | undefined): T[] {
	const rest = [...items];
	const order: T[] = [];
	while (rest.length > 0) {
		const possible = order.length === 0 && rest.length > 1 ? rest.filter((item) => item !== last) : rest;
		const next = possible[Math.floor(Math.random() * possible.length)] as T;
		order.push(next);
		rest.splice(rest.indexOf(next), 1);
	}
	return order;
}
