import type { Position } from '../protocol/position.ts';

/**
 * Numbers the messages of topics and keeps the latest ones. A transport that can store messages provides one as
 * `Bus.history`. `@orijs/websocket/testing` exports the suite that every implementation must pass.
 */
export interface HistoryStore {
	/**
	 * Checks that the backend can keep history. Called after each start of the bus.
	 *
	 * @throws an error saying what the backend lacks
	 */
	prepare(): Promise<void>;

	/**
	 * In one atomic step, numbers the messages in the given order, stores them, removes messages that exceed the bounds,
	 * and delivers the new ones through {@link BusHandlers.appended} to every node that is subscribed to the topic's
	 * channel, this one included. Resolves when that is done for all messages. Rejects if the backend refused or did not
	 * answer. If it did not answer, the messages may be appended nevertheless, but not later than {@link
	 * APPENDED_WITHIN_MS} after the call, and not after a later append of the same store to the topic. The store never
	 * repeats an append. Resolves with the position of the last message; with undefined if the append was ignored. A
	 * store of a single process may always resolve with undefined.
	 *
	 * @param messages at least one message; exactly one if there is an `idempotencyKey`
	 * @param idempotencyKey if a message with this key was appended to the topic within the last {@link IDEMPOTENCY_MS}
	 * milliseconds, this append is ignored
	 */
	append(
		topic: string,
		messages: readonly HistoryContent[],
		bounds: HistoryBounds,
		idempotencyKey?: string,
	): Promise<Position | undefined>;

	/**
	 * Reads stored messages of a topic, ignoring those that exceed the given bounds. Stores nothing for a topic without
	 * messages: its slice has a provisional epoch, from which a reader can continue once the topic has begun.
	 */
	read(topic: string, query: HistoryQuery, bounds: HistoryBounds): Promise<HistorySlice>;
}

/** Text, or bytes. A store must neither keep nor change the bytes passed to it once its promise has settled. */
export type HistoryContent = string | Uint8Array;

/** How much of a topic is kept. The oldest messages are removed as soon as one of these limits is exceeded. */
export interface HistoryBounds {
	/** The maximum number of messages. */
	readonly size: number;
	/** The maximum size of all contents together, in bytes, with text as UTF-8. */
	readonly bytes: number;
	/** The maximum age of a message, in milliseconds. */
	readonly ttlMs: number;
}

/**
 * Selects messages: the oldest ones after an offset, the newest ones before an offset, or the newest ones of all. At
 * most `limit` are read, which may be 0. With `bytes`, reading stops with the message that makes the total size of the
 * contents exceed it, but not before the message number {@link LEAST_READ}.
 */
export type HistoryQuery =
	| { readonly after: number; readonly limit: number; readonly bytes?: number | undefined }
	| { readonly before?: number; readonly limit: number; readonly bytes?: number | undefined };

/**
 * A bound in bytes never stops a read before this many messages, because a page needs a further message at each end, to
 * tell what precedes and follows it.
 */
export const LEAST_READ = 3;

/** A contiguous part of a topic's history. */
export interface HistorySlice {
	/** Provisional if the topic has had no message, or has been forgotten. */
	readonly epoch: string;
	/** Set if the slice was read, or if it was delivered with the first message of its epoch. */
	readonly beginning?: Beginning | undefined;
	/** The offset of the topic's last message, whether it is still stored or not; 0 if the topic has had no message. */
	readonly last: number;
	/** The messages, oldest first. The `prev` of each is the offset of the preceding one. */
	readonly entries: readonly HistoryEntry[];
}

/**
 * Says which provisional epochs an epoch continues: those of the same store whose number is `after` or higher. Topics
 * with the same {@link rememberedMs} share a count. A topic begins with its first message, or with the first one after
 * it was forgotten; the store then gives it a number higher than all before.
 */
export interface Beginning {
	/** Identifies the count, in the form of {@link randomEpoch}. If the store loses its data, the next count differs. */
	readonly store: string;
	/**
	 * The number that the topic got when it last began; if that is no longer known, the highest forgotten number.
	 * Numbers are remembered for at least {@link rememberedMs}.
	 */
	readonly after: number;
}

/** A stored message. */
export interface HistoryEntry {
	/** Larger than `prev` by a random step; see {@link LONGEST_STEP}. */
	readonly offset: number;
	/** The offset of the preceding message, whether it is still stored or not; 0 for the first message. */
	readonly prev: number;
	/** When the message was stored, in milliseconds since the epoch, by the backend's clock. */
	readonly timestamp: number;
	readonly content: HistoryContent;
}

/**
 * Each offset is larger than the previous one by a random step from 1 to this. If a backend has lost its latest
 * messages and continues from an earlier offset, it thus assigns different offsets than before. So the offset alone
 * shows whether a reader has seen the lost messages, except in one case in half a million.
 */
export const LONGEST_STEP: number = 2 ** 20;

/**
 * A topic starts a new epoch before its offsets reach this number. It is well below 2^53, up to which integers are
 * exact.
 */
export const HIGHEST_OFFSET: number = 2 ** 52;

/** The longest time after the call until an append takes effect, in milliseconds. After that, it no longer can. */
export const APPENDED_WITHIN_MS: number = 5_000;

/** How long an idempotency key is remembered, in milliseconds. */
export const IDEMPOTENCY_MS: number = 5 * 60_000;

/**
 * Returns how long the epoch and last offset of a topic with messages are remembered after the last append or read, in
 * milliseconds: twice as long as its messages, but at least a day. A provisional epoch is valid for at least as long.
 */
export function rememberedMs({ ttlMs }: HistoryBounds): number {
	return Math.max(2 * ttlMs, 24 * 60 * 60_000);
}

/** Returns a new epoch: 96 random bits as 16 characters from `A-Z a-z 0-9 _ -`. */
export function randomEpoch(): string {
	return Buffer.from(crypto.getRandomValues(new Uint8Array(12))).toString('base64url');
}
