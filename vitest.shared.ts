import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { ResultsReporter } from './vitest.reporters.ts';
import { LongestFirst } from './vitest.sequencer.ts';

/** The configuration of every package: tests run on Bun, against the sources, with real servers. */
export default defineConfig({
	ssr: { resolve: { conditions: ['@orijs/source'] } },
	test: {
		// Vitest's `forks` pool does not start under Bun.
		pool: 'threads',
		include: ['src/**/*.test.ts'],
		// Files that run at once, on few cores too: most of them wait most of the time, for outages, time limits and
		// processes.
		maxWorkers: Math.max(3, availableParallelism() - 1),
		sequence: { sequencer: LongestFirst },
		// Failures show values nearly whole.
		chaiConfig: { truncateThreshold: 1_000 },
		testTimeout: 20_000,
		hookTimeout: 30_000,
		// The tests cause real outages, and a busy machine can miss a time limit; a real defect fails each time.
		// `.ci/run` lists the tests that passed on a later try.
		retry: process.env['CI'] === 'true' ? 2 : 0,
		// The results are a Turborepo output, so that the totals over all packages are right on cache hits as well.
		reporters: ['default', new ResultsReporter('.vitest/results.json')],
	},
});
