import { type BusBackend, type CaseContext, SkippedCase, withContext } from './case-context.ts';

/**
 * One requirement and its check. Runs in any test framework: `for (const { name, run } of cases) it(name, run)`.
 */
export interface ConformanceCase {
	readonly name: string;
	/**
	 * Rejects if the requirement is not met.
	 *
	 * @param test calls its `skip` with the reason if the backend or the bus lacks what the case needs. The context that
	 *   Vitest and `node:test` pass to a test has that method. Without it, such a case rejects.
	 */
	readonly run: (test?: SkippableTest) => Promise<void>;
}

/** A running test, which can end as skipped. */
export interface SkippableTest {
	/** May throw. */
	skip(reason: string): void;
}

/** The requirements of a suite by name, each with a check that rejects if it is not met. */
export type Requirements = Readonly<Record<string, (context: CaseContext) => Promise<void>>>;

/** Returns one case per requirement. @param openBackend creates a fresh backend for each case */
export function conformanceCases(
	openBackend: () => BusBackend | Promise<BusBackend>,
	requirements: Requirements,
): readonly ConformanceCase[] {
	return Object.entries(requirements).map(([name, check]) => ({
		name,
		// Because of the default `run.length` is 0: some test runners wait for a callback otherwise.
		run: async (test: SkippableTest = UNSKIPPABLE) => {
			try {
				await withContext(openBackend, check);
			} catch (error) {
				if (!(error instanceof SkippedCase)) throw error;
				test.skip(error.message);
			}
		},
	}));
}

/** A case that was not run must not look like one that has passed. */
const UNSKIPPABLE: SkippableTest = {
	skip(reason) {
		throw new Error(`skipped: ${reason}`);
	},
};
