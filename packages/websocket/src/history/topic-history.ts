import { HistoryUnavailableError } from '../errors.ts';
import type { Position } from '../protocol/position.ts';
import { quiet, sleep, toError } from '../support/promises.ts';
import { frameOf } from './framing.ts';
import type { HistoryBounds, HistorySlice, HistoryStore } from './history-store.ts';
import { SharedWindow } from './shared-window.ts';

export interface TopicHistoryOptions {
	readonly topic: string;
	readonly bounds: HistoryBounds;
	readonly store: HistoryStore;
	/** Whether slices arrive over a connection, where some can be lost. */
	readonly isShared: boolean;
	/** Sends a frame to all sockets of this node that are subscribed to the topic. */
	readonly deliver: (frame: string | Uint8Array) => void;
	/** Messages from `since` (milliseconds since the epoch) on are lost for good; the next ones follow `position`. */
	readonly onLost: (since: number, position: Position, reason: string) => void;
	/** The store could not be read; the read is retried. */
	readonly onUnreadable: (error: Error) => void;
	/** The store was read. */
	readonly onRead: () => void;
}

/** How many messages are read at once. */
const PAGE = 200;
/** The first delay after a failed read, and the longest, in milliseconds. */
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 1_000;
/** How long reads may fail until those who wait for the topic are told, in milliseconds. */
const UNREADABLE_AFTER_MS = 2_000;

const LOST = 'the history of this topic has a hole, or does not reach back far enough';

/**
 * Follows a topic with history on one node, while the topic has sockets there. Delivers the topic's messages in order
 * and without holes: if a slice does not follow the last message, the missing ones are read from the store. Only
 * messages that are no longer stored are lost; the loss is reported.
 */
export class TopicHistory {
	/** The latest messages, for sockets that are catching up. */
	readonly window: SharedWindow;
	readonly #options: TopicHistoryOptions;
	/** The position of the last message delivered; undefined until the topic's position is known. */
	#cursor: Position | undefined;
	/** The last time at which all messages were known to have been delivered, in milliseconds since the epoch. */
	#completeAt = Date.now();
	/**
	 * The time from which on slices may be missing that have not been read yet, in milliseconds since the epoch. It is
	 * earlier than `#completeAt` if this node was frozen and then processed slices late.
	 */
	#suspectSince = Infinity;
	/** Slices that have arrived while the store is being read; undefined at other times. */
	#pending: HistorySlice[] | undefined;
	/** Whether the store must be read again, because more may have been missed since the last read began. */
	#isDue = false;
	#ready: PromiseWithResolvers<void> | undefined;
	#refreshed: PromiseWithResolvers<void> | undefined;
	#isClosed = false;

	constructor(options: TopicHistoryOptions) {
		const { topic, bounds, store, onUnreadable } = options;
		this.#options = options;
		this.window = new SharedWindow({ topic, bounds, store, onUnreadable, cursor: () => this.#cursor as Position });
	}

	/** The topic's position on this node; undefined until `open` has resolved. */
	get cursor(): Position | undefined {
		return this.#cursor;
	}

	get isClosed(): boolean {
		return this.#isClosed;
	}

	/**
	 * Resolves once the store has been read, so that messages published from then on will be delivered. Also resolves
	 * when the topic is closed.
	 *
	 * @throws {HistoryUnavailableError} reads have failed for two seconds; they are retried in the background
	 */
	open(): Promise<void> {
		if (this.#ready !== undefined) return this.#ready.promise;
		this.#ready = Promise.withResolvers();
		void quiet(this.#ready.promise);
		if (!this.#options.isShared) void this.#readCursor();
		else if (this.#pending === undefined) void this.#readMissing();
		return this.#ready.promise;
	}

	/** Reads the topic's position. Delivery doesn't wait for that: within one process, no slice is lost. */
	async #readCursor(): Promise<void> {
		const { store, topic, bounds } = this.#options;
		const { epoch, last } = await store.read(topic, { limit: 0 }, bounds);
		this.#cursor ??= { epoch, offset: last };
		this.#ready?.resolve();
	}

	/** Stops following the topic, because no socket of this node is subscribed to it any longer. */
	close(): void {
		this.#isClosed = true;
		this.#ready?.resolve();
		this.#refreshed?.resolve();
		this.window.close();
	}

	/** Messages were appended to the topic: delivers them, after any that are missing. */
	appended(slice: HistorySlice): void {
		if (slice.entries.length === 0) return;
		if (this.#pending !== undefined) {
			this.#pending.push(slice);
		} else if (this.#follows(slice)) {
			this.#deliver(slice);
			this.#completeAt = Date.now();
		} else {
			void this.#readMissing([slice]);
		}
	}

	/**
	 * Slices may have been missed from `since` (milliseconds since the epoch) until now. Reads and delivers the missing
	 * messages.
	 */
	verify(since: number): void {
		this.#isDue = true;
		this.#suspectSince = Math.min(this.#suspectSince, since);
		if (this.#pending === undefined) void this.#readMissing();
	}

	/**
	 * Reads the store, and delivers what this node has not received yet. Also resolves when the topic is closed.
	 *
	 * @throws {HistoryUnavailableError} reads have failed for two seconds; they are retried in the background
	 */
	refresh(): Promise<void> {
		if (this.#isClosed) return Promise.resolve();
		this.#refreshed ??= Promise.withResolvers();
		const { promise } = this.#refreshed;
		this.verify(Date.now());
		return quiet(promise);
	}

	#follows({ epoch, entries }: HistorySlice): boolean {
		const cursor = this.#cursor;
		// Within one process no slice is lost, so the first one to arrive is the next one.
		if (cursor === undefined) return !this.#options.isShared;
		return entries[0]?.prev === cursor.offset && epoch === cursor.epoch;
	}

	#deliver({ epoch, entries }: HistorySlice): void {
		const { topic, deliver } = this.#options;
		for (const entry of entries) {
			const frame = frameOf(topic, epoch, entry);
			// The cursor moves first: code that runs during the delivery must continue after this message.
			this.#cursor = { epoch, offset: entry.offset };
			this.window.push({ offset: entry.offset, prev: entry.prev, frame });
			deliver(frame);
		}
	}

	/** Reads the messages after the cursor until none can be missing. Never rejects. */
	async #readMissing(first: HistorySlice[] = []): Promise<void> {
		let pending = (this.#pending = first);
		let delay = FIRST_RETRY_MS;
		let failingSince: number | undefined;
		while (!this.#isClosed) {
			// The read also returns the messages of slices that arrived before it.
			const covered = pending.length;
			this.#isDue = false;
			const read = new Set<number>();
			let current: HistorySlice | undefined;
			try {
				current = await this.#readOn(read);
			} catch (thrown) {
				if (this.#isClosed) return;
				failingSince ??= performance.now();
				this.#failed(toError(thrown), performance.now() - failingSince);
				await sleep(delay);
				delay = Math.min(LONGEST_RETRY_MS, delay * 2);
				// The slices that arrived meanwhile are stored as well, so the next read returns their messages.
				pending = this.#pending = [];
				continue;
			}
			if (this.#isClosed) return;
			failingSince = undefined;
			this.#options.onRead();
			pending = this.#pending;
			if (current !== undefined) this.#skipTo(current, pending.slice(0, covered));
			this.#completeAt = Date.now();
			this.#ready?.resolve();
			pending = this.#pending = this.#deliverFollowing(pending.slice(covered), read);
			if (pending.length === 0 && !this.#isDue) break;
		}
		this.#suspectSince = Infinity;
		this.#pending = undefined;
		this.#refreshed?.resolve();
		this.#refreshed = undefined;
	}

	/** A read failed. @param failingMs how long every read has failed, in milliseconds */
	#failed(error: Error, failingMs: number): void {
		const { topic, onUnreadable } = this.#options;
		onUnreadable(error);
		if (failingMs < UNREADABLE_AFTER_MS) return;
		const unavailable = new HistoryUnavailableError(topic, { cause: error });
		this.#refreshed?.reject(unavailable);
		this.#refreshed = undefined;
		if (this.#cursor !== undefined) return;
		this.#ready?.reject(unavailable);
		this.#ready = undefined;
	}

	/**
	 * Reads and delivers all stored messages after the cursor. If the stored messages do not continue from the cursor,
	 * returns the slice that was read.
	 *
	 * @param read receives the offsets of the delivered messages
	 */
	async #readOn(read: Set<number>): Promise<HistorySlice | undefined> {
		const { store, topic, bounds } = this.#options;
		for (;;) {
			const cursor = this.#cursor;
			const query = cursor === undefined ? { limit: 0 } : { after: cursor.offset, limit: PAGE };
			const slice = await store.read(topic, query, bounds);
			if (this.#isClosed) return undefined;
			if (cursor === undefined) {
				this.#cursor = { epoch: slice.epoch, offset: slice.last };
				return undefined;
			}
			if (!continues(slice, cursor)) return slice;
			this.#deliver(slice);
			for (const { offset } of slice.entries) read.add(offset);
			if (slice.entries.length < PAGE) return undefined;
		}
	}

	/**
	 * Gives up the missing messages, which are lost: continues with the slices that arrived or, if there are no such
	 * slices, at the topic's current position.
	 */
	#skipTo(current: HistorySlice, came: readonly HistorySlice[]): void {
		const { epoch, offset: delivered } = this.#cursor as Position;
		// A late slice whose messages were already read is ignored, unless the backend has gone back in time.
		const isOnward = epoch === current.epoch && delivered <= current.last;
		let from = came.length;
		for (let next: HistorySlice | undefined; from > 0; from--) {
			const slice = came[from - 1] as HistorySlice;
			const prev = slice.entries[0]?.prev ?? 0;
			const isBefore = next === undefined || slice.entries.at(-1)?.offset === next.entries[0]?.prev;
			if (slice.epoch !== current.epoch || !isBefore || (isOnward && prev < delivered)) break;
			next = slice;
		}
		const rest = came.slice(from);
		const offset = rest[0]?.entries[0]?.prev ?? current.last;
		this.#cursor = { epoch: current.epoch, offset };
		this.window.restart();
		this.#options.onLost(Math.min(this.#completeAt, this.#suspectSince), this.#cursor, LOST);
		for (const slice of rest) this.#deliver(slice);
	}

	/**
	 * Delivers slices that follow the cursor, and skips those already read. Returns the others, from the first one on.
	 */
	#deliverFollowing(slices: readonly HistorySlice[], read: ReadonlySet<number>): HistorySlice[] {
		for (const [index, slice] of slices.entries()) {
			if (this.#follows(slice)) this.#deliver(slice);
			else if (!slice.entries.every(({ offset }) => read.has(offset))) return slices.slice(index);
		}
		return [];
	}
}

/** Returns whether a slice follows a position without a hole. */
export function continues({ epoch, last, entries }: HistorySlice, position: Position): boolean {
	return epoch === position.epoch && (entries[0]?.prev ?? last) === position.offset;
}
