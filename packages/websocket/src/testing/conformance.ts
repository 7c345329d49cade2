/** One promise of a contract, and how to see it kept. Framework-free: `for (const { name, run } of cases) it(name, run)`. */
export interface ConformanceCase {
	readonly name: string;
	/** Rejects when the promise is broken. */
	readonly run: () => Promise<void>;
}
