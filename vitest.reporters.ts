import { JsonReporter, type TestModule, type TestRunEndReason, type Vitest } from 'vitest/node';

/**
 * Writes the results to a file after a run of all tests, and leaves the file alone after a run of some of them:
 * Turborepo caches the file, and `scripts/test-totals.ts` adds it to the totals.
 */
export class ResultsReporter extends JsonReporter {
	/** @param outputFile relative to the root of the Vitest run */
	constructor(outputFile: string) {
		super({ outputFile });
	}

	override async onTestRunEnd(
		modules: readonly TestModule[],
		_errors?: unknown,
		reason?: TestRunEndReason,
	): Promise<void> {
		if (reason !== 'interrupted' && (await isWholeRun(this.ctx, modules))) await super.onTestRunEnd(modules);
	}
}

/** Whether a run was of all test files and of all tests in them, not of those that a filter selected. */
export async function isWholeRun(vitest: Vitest, modules: readonly TestModule[]): Promise<boolean> {
	const { project, testNamePattern, tagsFilter, shard } = vitest.config;
	if (project.length > 0 || testNamePattern !== undefined || tagsFilter !== undefined || shard) return false;
	const ran = new Set(modules.map(({ project: { name }, moduleId }) => `${name} ${moduleId}`));
	const all = await vitest.globTestSpecifications();
	return all.every(({ project: { name }, moduleId }) => ran.has(`${name} ${moduleId}`));
}
