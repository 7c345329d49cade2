// The suites that a transport must pass, and an in-memory transport that passes them.

export { busConformance } from './bus-conformance.ts';
export { historyConformance } from './history-conformance.ts';
export { presenceConformance } from './presence-conformance.ts';
export type { BusBackend } from './case-context.ts';
export type { ConformanceCase, SkippableTest } from './conformance.ts';
export type { MemoryBackendOptions } from './memory-backend.ts';
export { MemoryBackend } from './memory-backend.ts';
