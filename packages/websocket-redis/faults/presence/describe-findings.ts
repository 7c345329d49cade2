import type { Finding, FindingKind } from './records.ts';

export interface DescribedFindings {
	readonly counts: Readonly<Record<FindingKind, number>>;
	/** Each with the fault during which it was, and when. */
	readonly texts: readonly string[];
}

/** @param rounds the faults, in order, each with its begin */
export function describeFindings(
	findings: readonly Finding[],
	rounds: readonly { readonly name: string; readonly at: number }[],
): DescribedFindings {
	const counts = { ghost: 0, loss: 0, flap: 0, count: 0, doubled: 0, unmarked: 0 };
	for (const { kind } of findings) counts[kind]++;
	const texts = findings.map(({ kind, at, what }) => {
		const round = rounds.findLast((each) => each.at <= at);
		const when = round === undefined ? 'at first' : `${((at - round.at) / 1_000).toFixed(2)} s after "${round.name}"`;
		return `${kind}, ${when}: ${what}`;
	});
	return { counts, texts };
}
