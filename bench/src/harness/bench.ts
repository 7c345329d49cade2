import type { SubjectKind } from './subject-kind.ts';

/** How thoroughly to measure. */
export interface Effort {
	/** How many times to start all processes afresh. */
	readonly generations: number;
	/** Rounds per subject with the same processes. */
	readonly rounds: number;
	/** Length of a round of one subject, in milliseconds. */
	readonly roundMs: number;
	/** Upper limit for sockets, topics and the like. */
	readonly maxCount: number;
}

export const FULL: Effort = { generations: 5, rounds: 3, roundMs: 200, maxCount: Infinity };
/** Just enough to check that everything runs. */
export const SMOKE: Effort = { generations: 1, rounds: 1, roundMs: 20, maxCount: 50 };

/** Which subjects to measure, and how thoroughly. */
export class Bench {
	readonly effort: Effort;
	readonly #only: ReadonlySet<string> | undefined;

	/** @param only names of the subjects to measure besides the baselines; default: all */
	constructor(effort: Effort, only?: ReadonlySet<string>) {
		this.effort = effort;
		this.#only = only;
	}

	/** The subjects to measure; the baseline is always one of them. */
	selected(kinds: readonly SubjectKind[], baseline: SubjectKind): readonly SubjectKind[] {
		return kinds.filter((kind) => kind === baseline || (this.#only?.has(kind.name) ?? true));
	}

	/** Returns `count`, or the limit of this effort if that is lower. */
	upTo(count: number): number {
		return Math.min(count, this.effort.maxCount);
	}

	/** Caps each count at the limit of this effort and drops duplicates. */
	sizes(...counts: readonly number[]): readonly number[] {
		return [...new Set(counts.map((count) => this.upTo(count)))];
	}

	/** The same bench with `times` the generations, to resolve differences of a few percent. */
	withMoreGenerations(times: number): Bench {
		const generations = this.effort === SMOKE ? 1 : this.effort.generations * times;
		return new Bench({ ...this.effort, generations }, this.#only);
	}

	/** Returns `time`, shortened by the same factor as the rounds of this effort. */
	scaled(time: number): number {
		return time * Math.min(1, this.effort.roundMs / FULL.roundMs);
	}

	/** Returns `rounds`, or the rounds of this effort if those are fewer. */
	roundsUpTo(rounds: number): number {
		return Math.min(rounds, this.effort.rounds);
	}
}
