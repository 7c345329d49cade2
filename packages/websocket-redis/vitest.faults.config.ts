import { defineConfig } from 'vitest/config';
import { TableReporter } from './faults/report/table-reporter.ts';

/** Faults with real servers and processes: minutes, not seconds, and one after the other, as they measure times. */
export default defineConfig({
	ssr: { resolve: { conditions: ['@orijs/source'] } },
	test: {
		// Vitest's `forks` pool does not start under Bun.
		pool: 'threads',
		include: ['faults/**/*.test.ts', 'faults/**/*.fault.ts'],
		fileParallelism: false,
		// A bound in time may be missed on a busy machine; a broken mechanism breaks its promise twice.
		retry: process.env.CI === 'true' ? 1 : 0,
		testTimeout: 90_000,
		hookTimeout: 30_000,
		reporters: ['default', ['json', { outputFile: '.vitest/faults.json' }], new TableReporter('.vitest/faults.md')],
	},
});
