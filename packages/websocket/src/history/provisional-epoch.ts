/**
 * A topic gets its epoch with its first message. Until then, its position is `{ epoch, offset: 0 }` with a provisional
 * epoch, which is derived instead of stored: `{store}.{begun}`. The store counts the topics that have begun, and
 * `begun` is the number of the last one when the position was read. So a later read can tell whether the topic has
 * begun since.
 */

import type { Beginning } from './history-store.ts';

/** Separates the two parts of a provisional epoch. No other epoch contains it. */
const SEPARATOR = '.';

/** @param begun the number of the last topic that has begun; 0 if no topic has */
export function provisionalEpoch(store: string, begun: number): string {
	return `${store}${SEPARATOR}${begun}`;
}

export function isProvisional(epoch: string): boolean {
	return epoch.includes(SEPARATOR);
}

/**
 * Returns whether the position at the start of one epoch is also that at the start of another: the earlier one is
 * provisional, and no message of the topic was stored and forgotten between the two.
 *
 * @param beginning that of the later epoch
 */
export function startsAfter(epoch: string, beginning: Beginning | undefined, earlier: string): boolean {
	if (epoch === earlier) return true;
	const at = earlier.indexOf(SEPARATOR);
	if (at === -1 || beginning === undefined || earlier.slice(0, at) !== beginning.store) return false;
	const begun = Number(earlier.slice(at + 1));
	if (!(begun >= beginning.after)) return false;
	// A store that has lost data may know of fewer topics than the position does.
	return !isProvisional(epoch) || begun <= Number(epoch.slice(epoch.indexOf(SEPARATOR) + 1));
}
