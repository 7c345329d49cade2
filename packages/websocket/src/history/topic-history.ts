import { HistoryUnavailableError } from '../errors.ts';
import type { Position } from '../protocol/position.ts';
import { quiet, sleep, toError } from '../support/promises.ts';
import { frameOf } from './framing.ts';
import type { Beginning, HistoryBounds, HistorySlice, HistoryStore } from './history-store.ts';
import { isProvisional, startsAfter } from './provisional-epoch.ts';
import { SharedWindow } from './shared-window.ts';

export interface TopicHistoryOptions {
	readonly topic: string;
	readonly bounds: HistoryBounds;
	readonly store: HistoryStore;
	/** The topic's current slice, if all later ones are certain to arrive. Default: it is read. */
	readonly current?: HistorySlice | undefined;
	/** Sends a frame to all sockets of this node that are subscribed to the topic. */
	readonly deliver: (frame: string | Uint8Array) => void;
	/** Called when an epoch begins that continues the earlier one. The next messages follow `position`, its start. */
	readonly onBegun: (position: Position) => void;
	/**
	 * Called when messages from `since` (milliseconds since the epoch) on are lost for good. The next messages follow
	 * `position`.
	 */
	readonly onLost: (since: number, position: Position, reason: string) => void;
	/** Called when the store could not be read. The read is retried. */
	readonly onUnreadable: (error: Error) => void;
	/** Called when the store has been read. */
	readonly onRead: () => void;
}

/** The maximum number of messages in one read. */
const PAGE = 200;
/** The first and the longest delay after a failed read, in milliseconds. */
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 1_000;
/** If all reads of a topic fail for this long, in milliseconds, `open` and `refresh` throw. */
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
	/** What the epoch of the cursor continues. */
	#beginning: Beginning | undefined;
	/** The last time at which all messages were known to have been delivered, in milliseconds since the epoch. */
	#completeAt = Date.now();
	/**
	 * The earliest time since which slices may be missing that have not been read yet, in milliseconds since the epoch.
	 * It is earlier than `#completeAt` if this node was frozen and then processed slices late.
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
		const { topic, bounds, store, current, onUnreadable } = options;
		this.#options = options;
		if (current !== undefined) {
			this.#cursor = { epoch: current.epoch, offset: current.last };
			this.#beginning = current.beginning;
		}
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
		if (this.#options.current !== undefined) this.#ready.resolve();
		else if (this.#pending === undefined) void this.#readMissing();
		return this.#ready.promise;
	}

	/** Returns a position converted to the cursor's epoch, if that epoch continues it; any other position unchanged. */
	current(position: Position): Position {
		const { epoch } = this.#cursor ?? position;
		if (position.offset !== 0 || position.epoch === epoch) return position;
		return startsAfter(epoch, this.#beginning, position.epoch) ? { epoch, offset: 0 } : position;
	}

	/**
	 * Reads the store, so that the topic is not forgotten while sockets are subscribed to it. If it has not begun,
	 * replaces the sockets' position, whose provisional epoch is valid only for a limited time.
	 */
	async renew(): Promise<void> {
		if (this.#cursor === undefined) return;
		await this.refresh();
		if (!this.#isClosed && isProvisional(this.#cursor.epoch)) this.#options.onBegun(this.#cursor);
	}

	/** Stops following the topic, because no socket of this node is subscribed to it any longer. */
	close(): void {
		this.#isClosed = true;
		this.#ready?.resolve();
		this.#refreshed?.resolve();
		this.window.close();
	}

	/** Called when messages have been appended to the topic. Delivers them, after any earlier ones that are missing. */
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
	 * Called when slices may have been missed from `since` (milliseconds since the epoch) until now. Reads and delivers
	 * the missing messages.
	 */
	verify(since: number): void {
		this.#isDue = true;
		this.#suspectSince = Math.min(this.#suspectSince, since);
		if (this.#pending === undefined) void this.#readMissing();
	}

	/**
	 * Reads the store, and delivers the messages that this node has not received yet. Also resolves when the topic is
	 * closed.
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

	#follows(slice: HistorySlice): boolean {
		return this.#cursor !== undefined && continues(slice, this.#cursor);
	}

	#deliver({ epoch, beginning, entries }: HistorySlice): void {
		const { topic, deliver } = this.#options;
		if (this.#cursor !== undefined && this.#cursor.epoch !== epoch) this.#begin(epoch);
		this.#beginning = beginning ?? this.#beginning;
		for (const entry of entries) {
			const frame = frameOf(topic, epoch, entry);
			// The cursor moves first: code that runs during the delivery must continue after this message.
			this.#cursor = { epoch, offset: entry.offset };
			this.window.push({ offset: entry.offset, prev: entry.prev, frame });
			deliver(frame);
		}
	}

	/** The topic's epoch has begun and the provisional one has ended, with no messages in between. */
	#begin(epoch: string): void {
		this.#cursor = { epoch, offset: 0 };
		this.window.restart();
		this.#options.onBegun(this.#cursor);
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
				// The slices that arrived during the delay are stored as well, so the next read returns their messages.
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

	/**
	 * Called when a read has failed.
	 *
	 * @param failingMs for how long all reads have failed, in milliseconds
	 */
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
				this.#beginning = slice.beginning;
				return undefined;
			}
			if (!continues(slice, cursor)) return slice;
			if (slice.entries.length > 0) this.#deliver(slice);
			else this.#nothingFollows(slice);
			for (const { offset } of slice.entries) read.add(offset);
			if (slice.entries.length < PAGE) return undefined;
		}
	}

	/** No message follows the cursor. A provisional epoch is replaced by a later one, which stays valid for longer. */
	#nothingFollows({ epoch, beginning }: HistorySlice): void {
		const { epoch: earlier, offset } = this.#cursor as Position;
		this.#beginning = beginning;
		if (epoch === earlier) return;
		this.#cursor = { epoch, offset };
		this.window.restart();
	}

	/**
	 * Gives up the missing messages, which are lost. Continues with the slices that arrived or, if there are no such
	 * slices, at the topic's current position.
	 *
	 * @param current the slice that was read; it shows the topic's current position
	 * @param came the slices that arrived before that read
	 */
	#skipTo(current: HistorySlice, came: readonly HistorySlice[]): void {
		const { epoch, offset: delivered } = this.#cursor as Position;
		// A late slice whose messages were already read is ignored, unless the backend has lost messages and its offsets
		// have gone back.
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
		this.#beginning = current.beginning;
		this.window.restart();
		this.#options.onLost(Math.min(this.#completeAt, this.#suspectSince), this.#cursor, LOST);
		for (const slice of rest) this.#deliver(slice);
		// Slices after those that arrived were lost.
		if (this.#cursor.offset < current.last) this.#isDue = true;
	}

	/**
	 * Delivers slices that follow the cursor, and skips those already read. Stops at the first slice that is neither,
	 * and returns the slices from there on.
	 */
	#deliverFollowing(slices: readonly HistorySlice[], read: ReadonlySet<number>): HistorySlice[] {
		for (const [index, slice] of slices.entries()) {
			if (this.#follows(slice)) this.#deliver(slice);
			else if (!slice.entries.every(({ offset }) => read.has(offset))) return slices.slice(index);
		}
		return [];
	}
}

/** Returns whether a slice follows a position, with no messages missing in between. */
export function continues({ epoch, beginning, last, entries }: HistorySlice, position: Position): boolean {
	const { offset } = position;
	if ((entries[0]?.prev ?? last) !== offset) return false;
	return epoch === position.epoch || (offset === 0 && startsAfter(epoch, beginning, position.epoch));
}
