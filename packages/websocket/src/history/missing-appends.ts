import { sleep } from '../support/promises.ts';
import type { Position } from '../protocol/position.ts';
import type { HistoryBounds, HistoryStore } from './history-store.ts';

/** How many topics are read at a time. */
const AT_A_TIME = 100;
/** The delay after a failed read, in milliseconds. */
const RETRY_MS = 250;
/** A topic that can't be read for this long, in milliseconds, counts as one whose messages are missing. */
const UNREADABLE_AFTER_MS = 30_000;

/** A topic, and where the store put a message of it. */
export interface Appended {
	readonly topic: string;
	readonly bounds: HistoryBounds;
	readonly position: Position;
}

/** Returns the topics that have no message at the given position any longer, and those that can't be read. */
export async function missingAppends(
	store: HistoryStore,
	appends: readonly Appended[],
	isEnding: () => boolean,
): Promise<readonly string[]> {
	const missing: string[] = [];
	for (let at = 0; at < appends.length; at += AT_A_TIME) {
		const part = appends.slice(at, at + AT_A_TIME);
		const found = await Promise.all(part.map((append) => isStored(store, append, isEnding)));
		part.forEach(({ topic }, i) => found[i] !== true && missing.push(topic));
	}
	return missing;
}

async function isStored(
	store: HistoryStore,
	{ topic, bounds, position }: Appended,
	isEnding: () => boolean,
): Promise<boolean> {
	const giveUpAt = performance.now() + UNREADABLE_AFTER_MS;
	for (;;) {
		try {
			const { epoch, entries } = await store.read(topic, { before: position.offset + 1, limit: 1 }, bounds);
			return epoch === position.epoch && entries[0]?.offset === position.offset;
		} catch {
			if (isEnding() || performance.now() > giveUpAt) return false;
			await sleep(RETRY_MS);
		}
	}
}
