import { DONE } from '../support/promises.ts';

/** How many are acted on in one turn of the event loop. */
const SLICE = 500;

/**
 * Calls `act` for each item, for the first ones at once and for the rest in later turns of the event loop. Returns
 * {@link DONE} if there is no rest. Must not throw.
 */
export function inSlices<T>(items: readonly T[], act: (item: T) => void): Promise<void> {
	for (let i = 0; i < items.length && i < SLICE; i++) act(items[i] as T);
	return items.length <= SLICE ? DONE : rest(items, act);
}

async function rest<T>(items: readonly T[], act: (item: T) => void): Promise<void> {
	for (let from = SLICE; from < items.length; from += SLICE) {
		await new Promise((resolve) => setImmediate(resolve));
		for (let i = from; i < items.length && i < from + SLICE; i++) act(items[i] as T);
	}
}
