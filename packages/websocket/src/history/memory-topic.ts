import type { BegunTopics } from './begun-topics.ts';
import {
	type Beginning,
	HIGHEST_OFFSET,
	type HistoryBounds,
	type HistoryContent,
	type HistoryEntry,
	type HistoryQuery,
	type HistorySlice,
	LONGEST_STEP,
	randomEpoch,
	rememberedMs,
} from './history-store.ts';
import { KeptEntries } from './kept-entries.ts';
import { RecentKeys } from './recent-keys.ts';

/** Holds the messages and idempotency keys of one topic in a {@link MemoryHistory}. */
export class MemoryTopic {
	readonly kept: KeptEntries = new KeptEntries();
	readonly #begun: BegunTopics;
	readonly #number: number;
	#beginning: Beginning;
	#epoch = randomEpoch();
	#last: number;
	#keys: RecentKeys | undefined;
	#bounds: HistoryBounds;
	#forgetAt = 0;

	constructor(bounds: HistoryBounds, begun: BegunTopics, last = 0) {
		this.#begun = begun;
		this.#beginning = begun.beginning;
		this.#number = begun.begin();
		this.#bounds = bounds;
		this.#last = last;
	}

	/** Remembers a key. Returns whether it is new to the topic. */
	addKey(key: string, now: number): boolean {
		return (this.#keys ??= new RecentKeys()).add(key, now);
	}

	/** Numbers and stores messages. Returns the stored entries themselves, not copies. */
	append(messages: readonly HistoryContent[], bounds: HistoryBounds, now: number): HistorySlice {
		if (this.#last + messages.length * LONGEST_STEP >= HIGHEST_OFFSET) this.#beginEpoch();
		const entries: HistoryEntry[] = [];
		for (const message of messages) {
			const prev = this.#last;
			this.#last += 1 + Math.floor(Math.random() * LONGEST_STEP);
			const text = typeof message === 'string';
			const content = text ? message : new Uint8Array(message);
			const entry: HistoryEntry = { offset: this.#last, prev, timestamp: now, content };
			entries.push(entry);
			this.kept.push(entry, text ? Buffer.byteLength(message) : message.byteLength);
		}
		this.#use(bounds, now);
		const beginning = entries[0]?.prev === 0 ? this.#beginning : undefined;
		return { epoch: this.#epoch, beginning, last: this.#last, entries };
	}

	/** Returns copies of stored entries. */
	read(query: HistoryQuery, bounds: HistoryBounds, now: number): HistorySlice {
		this.#use(bounds, now);
		const entries =
			'after' in query
				? this.kept.after(query.after, query.limit, query.bytes)
				: this.kept.before(query.before ?? Infinity, query.limit, query.bytes);
		return { epoch: this.#epoch, beginning: this.#beginning, last: this.#last, entries: entries.map(ownEntry) };
	}

	/** Removes expired messages and keys. Returns whether the topic itself has expired, and must not be used again. */
	expire(now: number): boolean {
		this.kept.trim(this.#bounds, now);
		this.#keys?.expire(now);
		if (this.#keys?.size === 0) this.#keys = undefined;
		if (now < this.#forgetAt) return false;
		this.#begun.forget(this.#number);
		return true;
	}

	#use(bounds: HistoryBounds, now: number): void {
		this.#bounds = bounds;
		this.#forgetAt = now + rememberedMs(bounds);
		this.kept.trim(bounds, now);
	}

	#beginEpoch(): void {
		this.#epoch = randomEpoch();
		// The messages of the earlier epoch are gone, so the new one does not continue positions from before them.
		this.#beginning = { ...this.#beginning, after: this.#number };
		this.#last = 0;
		this.kept.clear();
	}
}

function ownEntry(entry: HistoryEntry): HistoryEntry {
	return typeof entry.content === 'string' ? entry : { ...entry, content: entry.content.slice() };
}
