import { defineConfig } from 'vitest/config';

/** One configuration for tests of pages in a real Chromium, which not everybody who runs the other tests has. */
export default defineConfig({
	ssr: { resolve: { conditions: ['@orijs/source'] } },
	test: {
		// Vitest's `forks` pool does not start under Bun.
		pool: 'threads',
		include: ['browser/**/*.test.ts'],
		// A bound in time may be missed on a busy machine; what is broken fails twice.
		retry: process.env['CI'] === 'true' ? 1 : 0,
		testTimeout: 20_000,
		hookTimeout: 30_000,
		reporters: ['default', ['json', { outputFile: '.vitest/browser.json' }]],
	},
});
