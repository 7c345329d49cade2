import { defineConfig } from 'vitest/config';

/** One configuration for every package: tests run on Bun, against the sources, with real servers. */
export default defineConfig({
	ssr: { resolve: { conditions: ['@orijs/source'] } },
	test: {
		// Vitest's `forks` pool does not start under Bun.
		pool: 'threads',
		include: ['src/**/*.test.ts'],
		testTimeout: 20_000,
		hookTimeout: 30_000,
		// Outages are real here, and a bound in time may be missed on a busy machine; what is broken fails twice. A test that
		// needed its second try is named at the end of the run.
		retry: process.env['CI'] === 'true' ? 1 : 0,
		// The file is a Turborepo output, so the totals over all packages are right on cache hits as well.
		reporters: ['default', ['json', { outputFile: '.vitest/results.json' }]],
	},
});
