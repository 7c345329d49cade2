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
	const missing: string[] = [];
	const unknown: Appended[] = [];
	let provenAt = -Infinity;
	for (let from = 0; from < appends.length; from += AT_A_TIME) {
		const part = appends.slice(from, from + AT_A_TIME);
		const found = await Promise.all(part.map((append) => find(store, append, isEnding)));
		for (const [i, append] of part.entries()) {
			if (found[i] === 'stored') provenAt = Math.max(provenAt, append.sentAt);
			else if (found[i] === 'missing') missing.push(append.topic);
			else unknown.push(append);
		}
	}
	for (const { topic, sentAt } of unknown) if (sentAt > provenAt) missing.push(topic);
	return { missing, provenAt };
}

/** Looks for a message. If later ones have displaced it, or another one in its place, the result is `unknown`. */
async function find(
	store: HistoryStore,
	{ topic, bounds, position: { epoch, offset } }: Appended,
	isEnding: () => boolean,
): Promise<'stored' | 'missing' | 'unknown'> {
	const giveUpAt = performance.now() + UNREADABLE_AFTER_MS;
	for (;;) {
		try {
			const slice = await store.read(topic, { before: offset + 1, limit: 1 }, bounds);
			const [entry] = slice.entries;
			if (slice.epoch !== epoch || slice.last < offset) return 'missing';
			if (entry === undefined) return 'unknown';
			return entry.offset === offset ? 'stored' : 'missing';
		} catch {
			if (isEnding() || performance.now() > giveUpAt) return 'missing';
			await sleep(RETRY_MS);
		}
	}
}
