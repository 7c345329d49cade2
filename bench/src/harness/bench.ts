import type { SubjectKind } from './subject-kind.ts';

/** How thoroughly to measure. */
export interface Effort {
	/** How many times to start over with new processes. */
	readonly generations: number;
	/** How many rounds to run per subject with the same processes. */
	readonly rounds: number;
	/** The length of one subject's round, in milliseconds. */
	readonly roundMs: number;
	/** The upper limit for the numbers of sockets, topics, and so on. */
	readonly maxCount: number;
}

export const FULL: Effort = { generations: 5, rounds: 3, roundMs: 200, maxCount: Infinity };
/** Just enough to check that everything runs. */
export const SMOKE: Effort = { generations: 1, rounds: 1, roundMs: 20, maxCount: 50 };

/** Determines which subjects to measure, and how thoroughly. */
export class Bench {
	readonly effort: Effort;
	readonly #only: ReadonlySet<string> | undefined;

	/** @param only the names of the subjects to measure in addition to the baselines; default: all */
	constructor(effort: Effort, only?: ReadonlySet<string>) {
		this.effort = effort;
		this.#only = only;
	}

	/** Returns the subjects to measure. The baseline is always one of them. */
	selected(kinds: readonly SubjectKind[], baseline: SubjectKind): readonly SubjectKind[] {
		return kinds.filter((kind) => kind === baseline || (this.#only?.has(kind.name) ?? true));
	}

	/** Returns `count`, or the limit of this effort if it is lower. */
	upTo(count: number): number {
		return Math.min(count, this.effort.maxCount);
	}

	/** Caps each count at the limit of this effort and drops duplicates. */
	sizes(...counts: readonly number[]): readonly number[] {
		return [...new Set(counts.map((count) => this.upTo(count)))];
	}

	/** Returns the same bench with `times` as many generations, to resolve differences of a few percent. */
	withMoreGenerations(times: number): Bench {
		const generations = this.effort === SMOKE ? 1 : this.effort.generations * times;
		return new Bench({ ...this.effort, generations }, this.#only);
	}

	/** Returns `time`, shortened by the same factor as the rounds of this effort. */
	scaled(time: number): number {
		return time * Math.min(1, this.effort.roundMs / FULL.roundMs);
	}

	/** Returns `rounds`, or the number of rounds of this effort if it is lower. */
	roundsUpTo(rounds: number): number {
		return Math.min(rounds, this.effort.rounds);
	}
}
