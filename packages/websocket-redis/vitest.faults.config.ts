import { defineConfig } from 'vitest/config';
import { ResultsReporter } from '../../vitest.reporters.ts';
import { TableReporter } from './faults/report/table-reporter.ts';

/** Whether every fault runs in every condition: see faults/harness/test-fault.ts. */
const runsAll = process.env.FAULTS === 'all';
const results = runsAll ? '.vitest/faults-all' : '.vitest/faults';

/** Fault tests with real servers and processes. Slow (minutes). Run one at a time, because they measure timing. */
export default defineConfig({
	ssr: { resolve: { conditions: ['@orijs/source'] } },
	test: {
		// Vitest's `forks` pool does not start under Bun.
		pool: 'threads',
		include: ['faults/**/*.test.ts', 'faults/**/*.fault.ts', 'model/**/*.test.ts'],
		fileParallelism: false,
		// A busy machine can miss a time limit; a real defect fails each time.
		retry: process.env.CI === 'true' ? 2 : 0,
		// Failures are read in the output of a run that can't be repeated at will: they show values nearly whole.
		chaiConfig: { truncateThreshold: 1_000 },
		testTimeout: 90_000,
		hookTimeout: 30_000,
		reporters: ['default', new ResultsReporter(`${results}.json`), new TableReporter(`${results}.md`)],
	},
});
