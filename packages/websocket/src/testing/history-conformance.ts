import type { ConformanceCase } from './conformance.ts';
import { APPENDING } from './history-appending.ts';
import { BOUNDS } from './history-bounds.ts';
import { IDEMPOTENCY } from './history-idempotency.ts';
import { READING } from './history-reading.ts';
import { TOPICS } from './history-topics.ts';
import { type BusBackend, onStage } from './stage.ts';

/**
 * The suite that the history of every `Bus` that has one must pass. What happens while the backend is away, or has lost something, it
 * can't bring about, nor what expires within minutes or days: test that yourself.
 *
 * @param openBackend makes a fresh backend for each case
 */
export function historyConformance(openBackend: () => BusBackend | Promise<BusBackend>): readonly ConformanceCase[] {
	return onStage(openBackend, { ...APPENDING, ...TOPICS, ...READING, ...BOUNDS, ...IDEMPOTENCY });
}
