import type { Sample } from '../report/results.ts';
import type { CaseRecorder } from './case-recorder.ts';

/** Does the work of a case for one subject, once per round. */
export interface Contender {
	readonly subject: string;
	round(): Promise<Sample>;
}

/**
 * Runs each contender once per round and pairs it with the baseline of that round, so that changes in the machine's
 * speed affect both. The order changes every round, and no contender runs twice in a row, because caches that are still
 * warm from its previous run would make it a few percent faster.
 */
export async function alternate(
	contenders: readonly Contender[],
	rounds: number,
	recorder: CaseRecorder,
): Promise<void> {
	const baseline = contenders.find(({ subject }) => subject === recorder.comparison.baseline);
	if (baseline === undefined) throw new Error(`${recorder.comparison.baseline} is not among the subjects`);
	let last: Contender | undefined;
	for (let round = 0; round < rounds; round++) {
		const samples = new Map<Contender, Sample>();
		for (const contender of shuffled(contenders, last)) {
			samples.set(contender, await contender.round());
			last = contender;
		}
		const against = samples.get(baseline) as Sample;
		for (const contender of contenders) recorder.add(contender.subject, samples.get(contender) as Sample, against);
	}
}

/** Returns the items in random order. `last` does not come first, unless it is the only item. */
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
