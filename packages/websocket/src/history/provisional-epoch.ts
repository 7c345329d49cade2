/**
 * A topic gets its epoch with its first message. Until then, its position is `{ epoch, offset: 0 }` with a provisional
 * epoch, which is derived instead of stored: `{store}.{begun}`. The store numbers topics as they begin; `begun` is the
 * latest number at the time the position was read. A later read can therefore tell whether the topic has begun since.
 */

import type { Beginning } from './history-store.ts';

/** Separates the two parts of a provisional epoch. No other epoch contains it. */
const SEPARATOR = '.';

/** @param begun the number of the latest topic to begin; 0 if no topic has begun */
export function provisionalEpoch(store: string, begun: number): string {
	return `${store}${SEPARATOR}${begun}`;
}

export function isProvisional(epoch: string): boolean {
	return epoch.includes(SEPARATOR);
}

/**
 * Returns whether the starts of two epochs are the same position: the earlier epoch is provisional, and no message of
 * the topic was stored and forgotten between them.
 *
 * @param beginning the beginning of `epoch`, the later one
 */
export function startsAfter(epoch: string, beginning: Beginning | undefined, earlier: string): boolean {
	if (epoch === earlier) return true;
	const at = earlier.indexOf(SEPARATOR);
	if (at === -1 || beginning === undefined || earlier.slice(0, at) !== beginning.store) return false;
	const begun = Number(earlier.slice(at + 1));
	if (!(begun >= beginning.after)) return false;
	// After a store has lost data, its count can be lower than the one in the position.
	return !isProvisional(epoch) || begun <= Number(epoch.slice(epoch.indexOf(SEPARATOR) + 1));
}
