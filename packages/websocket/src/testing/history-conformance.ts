import type { BusBackend } from './case-context.ts';
import { type ConformanceCase, conformanceCases } from './conformance.ts';
import { APPENDING } from './history-appending.ts';
import { BEGINNINGS } from './history-beginnings.ts';
import { BOUNDS } from './history-bounds.ts';
import { IDEMPOTENCY } from './history-idempotency.ts';
import { OUTAGES } from './history-outages.ts';
import { PAGING } from './history-paging.ts';
import { READING } from './history-reading.ts';
import { TOPICS } from './history-topics.ts';

/**
 * Returns the suite that the history of a `Bus` must pass. The cases about outages are skipped unless the backend can
 * `cut` and `restore`. The suite can't make the backend lose data, and it can't wait for keys and topics that expire
 * after minutes or days. Test these cases yourself.
 *
 * @param openBackend creates a fresh backend for each case
 */
export function historyConformance(openBackend: () => BusBackend | Promise<BusBackend>): readonly ConformanceCase[] {
	return conformanceCases(openBackend, {
		...APPENDING,
		...TOPICS,
		...READING,
		...BEGINNINGS,
		...PAGING,
		...BOUNDS,
		...IDEMPOTENCY,
		...OUTAGES,
	});
}
