/** The content of `results/{name}.json`. */
export interface BenchmarkResult {
	readonly name: string;
	/** Such as "Fan-out: one publish to many sockets". */
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
	/** Of the values: `deliveries/s`, `µs`, `bytes`. */
	readonly unit: string;
	readonly better: 'higher' | 'lower';
	/** For a point on a curve: the dimension (`sockets`) and the value it was measured at. */
	readonly at?: { readonly of: string; readonly value: number };
	/** The subject that the others are compared with. */
	readonly baseline: string;
	/** What this system should reach. */
	readonly target?: Target;
	readonly subjects: readonly SubjectResult[];
}

export interface Target {
	readonly subject: string;
	/** A minimum, or a maximum where lower is better: a ratio to the baseline, or a value in the case's unit. */
	readonly limit: number;
	readonly of: 'ratio' | 'value';
}

export interface SubjectResult {
	readonly subject: string;
	/** Over the rounds in which everything was delivered; absent without such a round. */
	readonly value?: Spread;
	/** Ratio to the baseline, taken round by round. */
	readonly ratio?: Spread;
	/** The lowest share delivered in any round; 1 is everything. */
	readonly delivered: number;
	/** CPU time per unit of work in microseconds, by process; medians of the rounds. */
	readonly cpu?: Readonly<Record<string, number>>;
	/** Further figures by name (`p99`); medians of the rounds. */
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
