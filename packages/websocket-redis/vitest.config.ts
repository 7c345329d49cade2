import { availableParallelism } from 'node:os';
import { defineConfig, mergeConfig } from 'vitest/config';
import shared from '../../vitest.shared.ts';

/** Of this package nearly all files wait for Redis most of the time. Both projects share these. */
const maxWorkers = Math.max(5, availableParallelism() - 1);

/** Runs every test on the ioredis in use and on the oldest one supported. */
export default mergeConfig(
	shared,
	defineConfig({
		test: {
			projects: [
				{ extends: '../../vitest.shared.ts', test: { name: 'ioredis 6', maxWorkers } },
				{
					extends: '../../vitest.shared.ts',
					resolve: { alias: { ioredis: 'ioredis-5' } },
					test: {
						name: 'ioredis 5.9',
						maxWorkers,
						exclude: [
							// The processes that these spawn would still run on ioredis 6.
							'src/integration/two-processes.test.ts',
							'src/integration/stop.test.ts',
							// Pure functions.
							'src/cluster/slot.test.ts',
							'src/wire/history-frame.test.ts',
							'src/wire/redis-channel.test.ts',
							// These take long, and what they test does not depend on ioredis.
							'src/beats/no-writes.test.ts',
							'src/beats/primary.test.ts',
							'src/integration/silent-nodes.test.ts',
							'src/integration/server-subscriptions.test.ts',
							'src/history/late-appends.test.ts',
							'src/history/unreadable-topics.test.ts',
							'src/presence/late-changes.test.ts',
							'src/presence/lost-data.test.ts',
						],
					},
				},
			],
		},
	}),
);
