import type { SubjectKind } from './subject-kind.ts';

/** How much is measured. */
export interface Effort {
	/** How often all processes are made anew. */
	readonly generations: number;
	/** How often each subject's turn comes with the same processes. */
	readonly rounds: number;
	/** How long a round of one subject takes, in milliseconds. */
	readonly roundMs: number;
	/** The largest number of sockets, or of anything else that is counted up. */
	readonly most: number;
}

export const FULL: Effort = { generations: 5, rounds: 3, roundMs: 200, most: Infinity };
/** Just enough to see that everything works. */
export const SMOKE: Effort = { generations: 1, rounds: 1, roundMs: 20, most: 50 };

/** What is to be measured, and how thoroughly. */
export class Bench {
	readonly effort: Effort;
	readonly #only: ReadonlySet<string> | undefined;

	/** @param only the names of the subjects to be measured, besides the baselines; default all */
	constructor(effort: Effort, only?: ReadonlySet<string>) {
		this.effort = effort;
		this.#only = only;
	}

	/** Those of the subjects that are to be measured. */
	chosen(kinds: readonly SubjectKind[], baseline: SubjectKind): readonly SubjectKind[] {
		return kinds.filter((kind) => kind === baseline || (this.#only?.has(kind.name) ?? true));
	}

	/** As many as wanted, or as this effort allows. */
	upTo(count: number): number {
		return Math.min(count, this.effort.most);
	}

	/** Those of the sizes that this effort allows, the largest that it does among them. */
	sizes(...counts: readonly number[]): readonly number[] {
		return [...new Set(counts.map((count) => this.upTo(count)))];
	}

	/** The same, with so many times more generations: for what is to be told apart by a few percent. */
	finer(times: number): Bench {
		const generations = this.effort === SMOKE ? 1 : this.effort.generations * times;
		return new Bench({ ...this.effort, generations }, this.#only);
	}

	/** A time, or less of it at this effort. */
	scaled(time: number): number {
		return time * Math.min(1, this.effort.roundMs / FULL.roundMs);
	}

	/** So many rounds, or less at this effort. */
	fewer(rounds: number): number {
		return Math.min(rounds, this.effort.rounds);
	}
}
