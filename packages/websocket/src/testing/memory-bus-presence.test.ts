import { describe, it } from 'vitest';
import { MemoryBackend, presenceConformance } from './index.ts';

describe('the presence of the in-memory bus', () => {
	for (const { name, run } of presenceConformance(() => new MemoryBackend())) it(name, run);
});
