import { defineConfig, mergeConfig } from 'vitest/config';
import shared from '../../vitest.shared.ts';

/** Everything runs on the ioredis that is developed with, and again on the oldest that is supported. */
export default mergeConfig(
	shared,
	defineConfig({
		test: {
			projects: [
				{ extends: '../../vitest.shared.ts', test: { name: 'ioredis 6' } },
				{
					extends: '../../vitest.shared.ts',
					resolve: { alias: { ioredis: 'ioredis-5' } },
					// The processes of these would run on ioredis 6 all the same.
					test: { name: 'ioredis 5.9', exclude: ['src/two-processes.test.ts', 'src/stop.test.ts'] },
				},
			],
		},
	}),
);
