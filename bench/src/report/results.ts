/** The contents of `results/{name}.json`. */
export interface BenchmarkResult {
	readonly name: string;
	/** The title, such as "Fan-out: one publish to many sockets". */
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

/** One kind of work, measured for several subjects. */
export interface CaseResult {
	readonly name: string;
	/** The unit of the values, such as `deliveries/s`, `µs` or `bytes`. */
	readonly unit: string;
	readonly better: 'higher' | 'lower';
	/** For a point on a curve, the dimension (such as `sockets`), and the value at which it was measured. */
	readonly at?: { readonly of: string; readonly value: number };
	/** The subject that the others are compared with. */
	readonly baseline: string;
	/** The target that this system should reach. */
	readonly target?: Target;
	readonly subjects: readonly SubjectResult[];
}

export interface Target {
	readonly subject: string;
	/** The minimum, or the maximum if lower is better, as a ratio to the baseline or a value in the case's unit. */
	readonly limit: number;
	readonly of: 'ratio' | 'value';
}

export interface SubjectResult {
	readonly subject: string;
	/** The value over all rounds in which everything was delivered; absent if there was no such round. */
	readonly value?: Spread;
	/** The ratio to the baseline, calculated round by round. */
	readonly ratio?: Spread;
	/** The lowest share delivered in any round; 1 is everything. */
	readonly delivered: number;
	/** The CPU time per unit of work, in microseconds and by process, as medians of the rounds. */
	readonly cpu?: Readonly<Record<string, number>>;
	/** Further figures by name (such as `p99`), as medians of the rounds. */
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
	/** The share delivered; 1 is everything. */
	readonly delivered: number;
	readonly cpu?: Readonly<Record<string, number>>;
	readonly more?: Readonly<Record<string, number>>;
}
