import { mergeConfig } from 'vitest/config';
import shared from '../vitest.shared.ts';

export default mergeConfig(shared, {
	test: {
		include: ['**/*.test.ts'],
		// Some tests run Vitest and tsc, which take a long time on a busy machine.
		testTimeout: 60_000,
	},
});
