import type { Finding, FindingKind } from './records.ts';

/** How many findings of each kind are described. */
const OF_EACH = 6;

export interface DescribedFindings {
	readonly counts: Readonly<Record<FindingKind, number>>;
	/** The first of each kind, each with the fault during which it was, and when. */
	readonly texts: readonly string[];
}

/** @param rounds the faults, in order, each with its begin */
export function describeFindings(
	findings: readonly Finding[],
	rounds: readonly { readonly name: string; readonly at: number }[],
): DescribedFindings {
	const counts = { ghost: 0, loss: 0, flap: 0, count: 0, doubled: 0, unmarked: 0 };
	for (const { kind } of findings) counts[kind]++;
	const first = Object.keys(counts).flatMap((kind) =>
		findings.filter((finding) => finding.kind === kind).slice(0, OF_EACH),
	);
	const texts = first.map(({ kind, at, what }) => {
		const round = rounds.findLast((each) => each.at <= at);
		const when = round === undefined ? 'at first' : `${((at - round.at) / 1_000).toFixed(2)} s after "${round.name}"`;
		return `${kind}, ${when}: ${what}`;
	});
	return { counts, texts };
}
