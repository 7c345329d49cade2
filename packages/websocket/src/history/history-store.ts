/**
 * Numbers the messages of topics and keeps the last ones. A transport that can store messages has one (`Bus.history`).
 * `@orijs/websocket/testing` exports the suite that an implementation must pass.
 */
export interface HistoryStore {
	/**
	 * Called after each start of the bus.
	 *
	 * @throws an error that names what is missing, if the backend can't keep history
	 */
	prepare(): Promise<void>;

	/**
	 * In one atomic step numbers the messages in the given order, stores them, removes what exceeds the bounds, and
	 * delivers them by {@link BusHandlers.appended} to each node that is subscribed to the topic's channel, this one
	 * included. Resolves when that is done for all messages. Rejects when the backend refused or did not answer; in the
	 * latter case it may have been done all the same. The store never repeats an append.
	 *
	 * @param messages at least one; exactly one with a key
	 * @param idempotencyKey the append is ignored if the topic had one with this key within {@link IDEMPOTENCY_MS}
	 */
	append(
		topic: string,
		messages: readonly HistoryContent[],
		bounds: HistoryBounds,
		idempotencyKey?: string,
	): Promise<void>;

	/**
	 * Reads what is stored of a topic, as far as it is within the bounds now. An unknown topic gets an epoch, so that
	 * what is published next can be recovered from the position that this read returns.
	 */
	read(topic: string, query: HistoryQuery, bounds: HistoryBounds): Promise<HistorySlice>;
}

/** Text, or bytes that the store neither keeps nor changes once its promise has settled. */
export type HistoryContent = string | Uint8Array;

/** How much of a topic is kept. The oldest messages are removed as soon as one of these is exceeded. */
export interface HistoryBounds {
	/** The number of messages. */
	readonly size: number;
	/** Total bytes of content, with text as UTF-8. */
	readonly bytes: number;
	/** The age of a message, in milliseconds. */
	readonly ttlMs: number;
}

/** The oldest messages after an offset, or the newest before one (default: of all); at most `limit`, which may be 0. */
export type HistoryQuery =
	| { readonly after: number; readonly limit: number }
	| { readonly before?: number; readonly limit: number };

/** A part of a topic's history without holes. */
export interface HistorySlice {
	readonly epoch: string;
	/** The offset of the topic's last message, whether it is still stored or not; 0 if there was no message yet. */
	readonly last: number;
	/** The oldest first. The `prev` of each is the offset of the one before. */
	readonly entries: readonly HistoryEntry[];
}

export interface HistoryEntry {
	/** At least one more than `prev`; see {@link LONGEST_STEP}. */
	readonly offset: number;
	/** The offset of the message before, whether it is still stored or not; 0 for the first message. */
	readonly prev: number;
	/** When it was stored, in milliseconds since the epoch, by the backend's clock. */
	readonly timestamp: number;
	readonly content: HistoryContent;
}

/**
 * Offsets grow by a random step from 1 to this. A backend that has lost its last messages and continues from an earlier
 * offset therefore assigns other offsets than before: the offset alone tells whether a reader has seen the lost
 * messages, except in one case in half a million.
 */
export const LONGEST_STEP: number = 2 ** 20;

/** A topic begins its next epoch before its offsets reach this: up to 2^53 they are exact. */
export const HIGHEST_OFFSET: number = 2 ** 52;

/** How long an idempotency key is remembered, in milliseconds. */
export const IDEMPOTENCY_MS: number = 5 * 60_000;

/**
 * How long a topic's epoch and last offset are remembered after its last append or read, in milliseconds: twice as long
 * as its messages, but at least a day.
 */
export function rememberedMs({ ttlMs }: HistoryBounds): number {
	return Math.max(2 * ttlMs, 24 * 60 * 60_000);
}

/** A new epoch: 16 characters from `A-Z a-z 0-9 _ -`, 96 random bits. */
export function randomEpoch(): string {
	return Buffer.from(crypto.getRandomValues(new Uint8Array(12))).toString('base64url');
}
