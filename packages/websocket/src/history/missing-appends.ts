import type { Position } from '../protocol/position.ts';
import { sleep } from '../support/promises.ts';
import type { HistoryBounds, HistoryStore } from './history-store.ts';

/** How many topics are read at a time. */
const AT_A_TIME = 100;
/** The delay after a failed read, in milliseconds. */
const RETRY_MS = 250;
/** A topic that can't be read for this long, in milliseconds, counts as one whose messages are missing. */
const UNREADABLE_AFTER_MS = 30_000;

/** A message that this node appended to a topic. */
export interface Appended {
	readonly topic: string;
	readonly bounds: HistoryBounds;
	readonly position: Position;
	/** By the monotonic clock. */
	readonly sentAt: number;
}

export interface Search {
	/** The topics whose messages are missing. */
	readonly missing: readonly string[];
	/** The store has everything that was appended until then, by the monotonic clock; -Infinity if it has nothing. */
	readonly provenAt: number;
}

/**
 * Looks for messages in a store that may be another one than the one they were appended to.
 *
 * @param isEnding whether to give up
 */
export async function searchAppends(
	store: HistoryStore,
	appends: readonly Appended[],
	isEnding: () => boolean,
): Promise<Search> {
	const absent: Appended[] = [];
	let provenAt = -Infinity;
	for (let from = 0; from < appends.length; from += AT_A_TIME) {
		const part = appends.slice(from, from + AT_A_TIME);
		const found = await Promise.all(part.map((append) => isStored(store, append, isEnding)));
		for (const [i, append] of part.entries()) {
			if (found[i] === true) provenAt = Math.max(provenAt, append.sentAt);
			else absent.push(append);
		}
	}
	// What was sent before something that is there has been displaced or deleted, or was reported after an earlier stay.
	return { missing: absent.filter(({ sentAt }) => sentAt > provenAt).map(({ topic }) => topic), provenAt };
}

/** Returns whether a message is still stored. */
async function isStored(
	store: HistoryStore,
	{ topic, bounds, position: { epoch, offset } }: Appended,
	isEnding: () => boolean,
): Promise<boolean> {
	const giveUpAt = performance.now() + UNREADABLE_AFTER_MS;
	for (;;) {
		try {
			const slice = await store.read(topic, { before: offset + 1, limit: 1 }, bounds);
			return slice.epoch === epoch && slice.entries[0]?.offset === offset;
		} catch {
			if (isEnding() || performance.now() > giveUpAt) return false;
			await sleep(RETRY_MS);
		}
	}
}
