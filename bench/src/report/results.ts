/** What a benchmark found, as it is written to `results/{name}.json`. */
export interface BenchmarkResult {
	readonly name: string;
	/** A sentence in the sense of "fan-out from one publish to many sockets". */
	readonly title: string;
	readonly machine: Machine;
	readonly cases: readonly CaseResult[];
}

export interface Machine {
	readonly cpu: string;
	readonly cores: number;
	readonly memoryGiB: number;
	readonly os: string;
	readonly bun: string;
	readonly node: string;
	readonly redis: string;
}

/** One kind of work, done by several subjects. */
export interface CaseResult {
	readonly name: string;
	/** Of the values: `deliveries/s`, `µs`, `bytes`. */
	readonly unit: string;
	readonly better: 'higher' | 'lower';
	/** Where the case is a point on a curve: what it was measured at, and in which dimension (`sockets`). */
	readonly at?: { readonly of: string; readonly value: number };
	/** The subject that the others are compared with; each has its ratio to it. */
	readonly baseline: string;
	/** What this system should reach against the baseline. */
	readonly target?: Target;
	readonly subjects: readonly SubjectResult[];
}

export interface Target {
	readonly subject: string;
	/** At least, or (where lower is better) at most: a ratio to the baseline, or a value in the unit of the case. */
	readonly limit: number;
	readonly of: 'ratio' | 'value';
}

export interface SubjectResult {
	readonly subject: string;
	/** Of the rounds in which everything was delivered. Absent when there was no such round. */
	readonly value?: Spread;
	/** To the baseline, round by round. */
	readonly ratio?: Spread;
	/** The worst share delivered in any round; 1 is everything. */
	readonly delivered: number;
	/** Processor time per unit of work in microseconds, by process, the median of the rounds. */
	readonly cpu?: Readonly<Record<string, number>>;
	/** More figures of the same rounds, by name (`p99`), the median of the rounds. */
	readonly more?: Readonly<Record<string, number>>;
	readonly rounds: readonly Pick<Sample, 'value' | 'delivered'>[];
}

export interface Spread {
	readonly median: number;
	readonly min: number;
	readonly max: number;
}

/** One round of one subject. */
export interface Sample {
	readonly value: number;
	/** The share of what should have arrived that did. */
	readonly delivered: number;
	readonly cpu?: Readonly<Record<string, number>>;
	readonly more?: Readonly<Record<string, number>>;
}
