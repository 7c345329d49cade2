import { type BusBackend, type CaseContext, withContext } from './case-context.ts';

/** One requirement and its check. Runs in any test framework: `for (const { name, run } of cases) it(name, run)`. */
export interface ConformanceCase {
	readonly name: string;
	/** Rejects if the requirement is not met. */
	readonly run: () => Promise<void>;
}

/** The requirements of a suite by name, each with a check that rejects if it is not met. */
export type Requirements = Readonly<Record<string, (context: CaseContext) => Promise<void>>>;

/** Returns one case per requirement. @param openBackend creates a fresh backend for each case */
export function conformanceCases(
	openBackend: () => BusBackend | Promise<BusBackend>,
	requirements: Requirements,
): readonly ConformanceCase[] {
	return Object.entries(requirements).map(([name, check]) => ({ name, run: () => withContext(openBackend, check) }));
}
