import { describe, it } from 'vitest';
import { historyConformance, MemoryBackend } from './index.ts';

describe('the history of the in-memory bus', () => {
	for (const { name, run } of historyConformance(() => new MemoryBackend())) it(name, run);
});
