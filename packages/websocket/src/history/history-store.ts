/**
 * Keeps the last messages of topics and numbers them. A transport that can do that has one (`Bus.history`); `@orijs/websocket/testing`
 * exports the suite that an implementation must pass.
 */
export interface HistoryStore {
	/** Called after each start of the bus. @throws an error that says what is lacking, where the backend can't keep history */
	prepare(): Promise<void>;

	/**
	 * In one atomic step numbers the messages in this order, stores them, lets go of what is out of bounds, and hands them to each node that
	 * has subscribed to the topic, this one included, by {@link BusHandlers.appended}. Resolves when that is done, for all of them; rejects
	 * when the backend refused, or did not answer: then it may have been done all the same. Never repeated by the store.
	 *
	 * @param messages at least one; exactly one with a key
	 * @param idempotencyKey nothing is done if this topic had an append with it within {@link IDEMPOTENCY_MS}
	 */
	append(
		topic: string,
		messages: readonly HistoryContent[],
		bounds: HistoryBounds,
		idempotencyKey?: string,
	): Promise<void>;

	/**
	 * What is stored of a topic, within its bounds as of now. A topic that is not known gets an epoch, so that what is published next can be
	 * recovered by who has seen nothing yet.
	 */
	read(topic: string, query: HistoryQuery, bounds: HistoryBounds): Promise<HistorySlice>;
}

/** Text, or bytes that the store neither keeps nor changes once its promise is settled. */
export type HistoryContent = string | Uint8Array;

/** How much of a topic is kept: whatever exceeds one of these is let go, the oldest first. */
export interface HistoryBounds {
	/** Messages. */
	readonly size: number;
	/** Bytes of content in all, text as UTF-8. */
	readonly bytes: number;
	/** The age of a message, in milliseconds. */
	readonly ttlMs: number;
}

/** The oldest messages after an offset, or the newest before one (default: of all); `limit` of them at most, 0 for none. */
export type HistoryQuery =
	| { readonly after: number; readonly limit: number }
	| { readonly before?: number; readonly limit: number };

/** A part of a topic's history without holes. */
export interface HistorySlice {
	readonly epoch: string;
	/** The last offset that the topic has given, whether that message is still stored or not; 0 if none. */
	readonly last: number;
	/** The oldest first. Each one's `prev` is the offset of the one before. */
	readonly entries: readonly HistoryEntry[];
}

export interface HistoryEntry {
	/** At least one more than `prev`; see {@link LONGEST_STEP}. */
	readonly offset: number;
	/** The offset given before this one, 0 for the first, whether that message is still stored or not. */
	readonly prev: number;
	/** When it was stored, in milliseconds since the epoch, by the backend's clock. */
	readonly timestamp: number;
	readonly content: HistoryContent;
}

/**
 * Offsets grow by a random step from 1 to this. A backend that has lost its last messages and goes on from an earlier offset then gives
 * other offsets than it gave before, so that who has seen the lost ones is told from who has not by the offset alone; but for one
 * case in half a million.
 */
export const LONGEST_STEP: number = 2 ** 20;

/** A topic's next epoch begins before its offsets get there: up to 2^53 they are exact. */
export const HIGHEST_OFFSET: number = 2 ** 52;

/** How long an idempotency key is remembered, in milliseconds. */
export const IDEMPOTENCY_MS: number = 5 * 60_000;

/**
 * How long epoch and last offset of a topic are remembered after its last append or read, in milliseconds: twice as long as its messages,
 * but a day at least.
 */
export function rememberedMs({ ttlMs }: HistoryBounds): number {
	return Math.max(2 * ttlMs, 24 * 60 * 60_000);
}

/** A new epoch: 16 characters from `A-Z a-z 0-9 _ -`, 96 random bits. */
export function randomEpoch(): string {
	return Buffer.from(crypto.getRandomValues(new Uint8Array(12))).toString('base64url');
}
