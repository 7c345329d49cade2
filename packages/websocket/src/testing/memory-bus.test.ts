import { describe, it } from 'vitest';
import { busConformance, MemoryBackend } from './index.ts';

describe('the in-memory bus', () => {
	for (const { name, run } of busConformance(() => new MemoryBackend())) it(name, run);
});

describe('the in-memory bus with liveness', () => {
	for (const { name, run } of busConformance(() => new MemoryBackend({ liveness: true }))) it(name, run);
});
