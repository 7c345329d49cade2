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
		// The file is a Turborepo output, so the totals over all packages are right on cache hits as well.
		reporters: ['default', ['json', { outputFile: '.vitest/results.json' }]],
	},
});
