import { mergeConfig } from 'vitest/config';
import shared from '../../vitest.shared.ts';

/** Its tests compile and start whole programs, which takes the processor rather than time. */
export default mergeConfig(shared, { test: { maxWorkers: 2 } });
