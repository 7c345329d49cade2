import { defineConfig } from 'vitest/config';
import { ResultsReporter } from './vitest.reporters.ts';

/** The configuration of tests of pages in a real Chromium, apart from the other tests, which need no browser. */
export default defineConfig({
	ssr: { resolve: { conditions: ['@orijs/source'] } },
	test: {
		// Vitest's `forks` pool does not start under Bun.
		pool: 'threads',
		include: ['browser/**/*.test.ts'],
		// A busy machine can miss a time limit; a real defect fails each time.
		retry: process.env['CI'] === 'true' ? 2 : 0,
		testTimeout: 20_000,
		hookTimeout: 30_000,
		reporters: ['default', new ResultsReporter('.vitest/browser.json')],
	},
});
