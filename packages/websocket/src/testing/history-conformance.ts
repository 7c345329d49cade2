import type { BusBackend } from './case-context.ts';
import { type ConformanceCase, conformanceCases } from './conformance.ts';
import { APPENDING } from './history-appending.ts';
import { BOUNDS } from './history-bounds.ts';
import { IDEMPOTENCY } from './history-idempotency.ts';
import { READING } from './history-reading.ts';
import { TOPICS } from './history-topics.ts';

/**
 * The suite for the history of a `Bus`. It can't make the backend unavailable or lose data, nor wait for what expires
 * after minutes or days: test these yourself.
 *
 * @param openBackend creates a fresh backend for each case
 */
export function historyConformance(openBackend: () => BusBackend | Promise<BusBackend>): readonly ConformanceCase[] {
	return conformanceCases(openBackend, { ...APPENDING, ...TOPICS, ...READING, ...BOUNDS, ...IDEMPOTENCY });
}
