// The suites a transport must pass, and a transport in memory that passes them.

export { busConformance } from './bus-conformance.ts';
export type { BusBackend } from './bus-conformance.ts';
export type { ConformanceCase } from './conformance.ts';
export { MemoryBackend } from './memory-bus.ts';
