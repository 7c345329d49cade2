import type { Bench } from '../harness/bench.ts';
import type { CaseResult } from '../report/results.ts';

export interface Benchmark {
	/** The name on the command line. */
	readonly name: string;
	readonly title: string;
	/** Calls `found` with each case as soon as it has been measured. */
	run(bench: Bench, found: (result: CaseResult) => void): Promise<void>;
}
