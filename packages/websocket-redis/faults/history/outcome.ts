import type { Crowd } from './crowd.ts';
import type { Follower } from './follower.ts';
import { balance } from './ledger.ts';

/** What became of one fault, in all clients. */
export interface Outcome {
	/** Accepted, and not heard; and those of them that nobody told of. */
	missing: number;
	silent: number;
	duplicates: number;
	/** Duplicates of messages that were tried again: their keys are forgotten with the data. */
	retried: number;
	inversions: number;
	/** How many times it was said that all came, with at least one message; and how many times that not. */
	recovered: number;
	lost: number;
	/** How many gaps were told. */
	gaps: number;
	/** What clients of the topic without history did not hear. */
	plain: number;
}

/** How it is where nothing may be lost. */
export const NOTHING_LOST: Partial<Outcome> = {
	missing: 0,
	silent: 0,
	duplicates: 0,
	retried: 0,
	inversions: 0,
	lost: 0,
	gaps: 0,
};

/** Where something is lost, and told. */
export const NOTHING_SILENT: Partial<Outcome> = { silent: 0, duplicates: 0, inversions: 0 };

/** Begins to count what is published and heard; the function it returns says what became of it, once the crowd has settled. */
export function outcomeFrom({ everybody, followers, plain, topics }: Crowd): () => Outcome {
	const heard = new Map(everybody.map((follower) => [follower, follower.told.length]));
	const first = new Map([...topics].map(([topic, { last }]) => [topic, last + 1]));

	const since = (follower: Follower) => {
		const { topic } = follower;
		const from = first.get(topic) ?? 0;
		const published = (topics.get(topic)?.published ?? []).slice(from);
		const told = follower.told
			.slice(heard.get(follower) ?? 0)
			.map((one) => (one.kind === 'message' ? { ...one, text: String(Number(one.text) - from) } : one));
		return { told, published, ...balance(told, published) };
	};

	return () => {
		const outcome: Outcome = {
			missing: 0,
			silent: 0,
			duplicates: 0,
			retried: 0,
			inversions: 0,
			recovered: 0,
			lost: 0,
			gaps: 0,
			plain: 0,
		};
		for (const follower of followers) {
			const { told, published, missing, silent, duplicates, inversions } = since(follower);
			outcome.missing += missing.length;
			outcome.silent += silent.length;
			for (const n of duplicates) outcome[published[n]?.wasRetried === true ? 'retried' : 'duplicates']++;
			outcome.inversions += inversions.length;
			for (const one of told) {
				if (one.kind === 'gap') outcome.gaps++;
				if (one.kind !== 'recovered') continue;
				if (!one.recovered) outcome.lost++;
				else if (one.count > 0) outcome.recovered++;
			}
		}
		for (const follower of plain) outcome.plain += since(follower).missing.length;
		return outcome;
	};
}
