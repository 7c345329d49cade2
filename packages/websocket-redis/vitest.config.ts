import { defineConfig, mergeConfig } from 'vitest/config';
import shared from '../../vitest.shared.ts';

/** Runs every test on the ioredis in use and on the oldest one supported. */
export default mergeConfig(
	shared,
	defineConfig({
		test: {
			projects: [
				{ extends: '../../vitest.shared.ts', test: { name: 'ioredis 6' } },
				{
					extends: '../../vitest.shared.ts',
					resolve: { alias: { ioredis: 'ioredis-5' } },
					// The processes that these spawn would still run on ioredis 6.
					test: {
						name: 'ioredis 5.9',
						exclude: ['src/integration/two-processes.test.ts', 'src/integration/stop.test.ts'],
					},
				},
			],
		},
	}),
);
