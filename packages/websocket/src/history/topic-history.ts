import type { Position } from '../protocol/position.ts';
import { toError } from '../support/promises.ts';
import { frameOf } from './framing.ts';
import type { HistoryBounds, HistoryEntry, HistorySlice, HistoryStore } from './history-store.ts';
import { type Framed, HistoryWindow } from './history-window.ts';

export interface TopicHistoryOptions {
	readonly topic: string;
	readonly bounds: HistoryBounds;
	readonly store: HistoryStore;
	/** Whether slices come over a connection, on which some can go missing. */
	readonly isShared: boolean;
	/** Sends a frame to all sockets of this node that are in the topic. */
	readonly deliver: (frame: string | Uint8Array) => void;
	/** Messages since then (milliseconds since the epoch) can't be given back; the next ones come after that position. */
	readonly onLost: (since: number, position: Position, reason: string) => void;
	/** The store could not be read; it is tried again. */
	readonly onError: (error: Error) => void;
}

/** How many messages are read at once. */
const PAGE = 200;
/** The first wait after a read that failed, and the longest, in milliseconds. */
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 1_000;
const EXTEND_RETRY_MS = 500;
/** How long a window is kept for those who come back a little later, in milliseconds. */
const WINDOW_LINGER_MS = 2_000;

const LOST = 'the history of this topic has a hole, or does not reach back far enough';

/**
 * One topic with history on one node, for as long as sockets of it are in the topic: delivers its messages in order and without a hole. What
 * does not follow the last message is looked up in the store; only what is no longer there is lost, and told.
 */
export class TopicHistory {
	readonly #options: TopicHistoryOptions;
	/** The last message that was delivered; undefined until it is known where the topic stands. */
	#cursor: Position | undefined;
	/** When all before the cursor was known to be there, in milliseconds since the epoch. */
	#soundAt = Date.now();
	/** Slices that came while the store is asked; undefined while it is not. */
	#pending: HistorySlice[] | undefined;
	/** Whether the store has to be asked again, for what happened since it was. */
	#isDue = false;
	#ready: PromiseWithResolvers<void> | undefined;
	#isClosed = false;
	#window: HistoryWindow | undefined;
	#windowUsers = 0;
	#windowTimer: ReturnType<typeof setTimeout> | undefined;
	#extending: Promise<void> | undefined;

	constructor(options: TopicHistoryOptions) {
		this.#options = options;
	}

	get bounds(): HistoryBounds {
		return this.#options.bounds;
	}

	/** Where the topic stands here; undefined until `open` has resolved. */
	get cursor(): Position | undefined {
		return this.#cursor;
	}

	get isClosed(): boolean {
		return this.#isClosed;
	}

	/** Resolves when messages published from then on are delivered: for this the store must have answered once. Resolves also when it is closed. */
	open(): Promise<void> {
		if (this.#ready !== undefined) return this.#ready.promise;
		this.#ready = Promise.withResolvers();
		if (!this.#options.isShared) void this.#look();
		else if (this.#pending === undefined) void this.#check();
		return this.#ready.promise;
	}

	/** Where the topic stands, without holding anything up: in one process nothing goes missing. */
	async #look(): Promise<void> {
		const { store, topic, bounds } = this.#options;
		const { epoch, last } = await store.read(topic, { limit: 0 }, bounds);
		this.#cursor ??= { epoch, offset: last };
		this.#ready?.resolve();
	}

	/** Nobody here is in the topic any more. */
	close(): void {
		this.#isClosed = true;
		this.#ready?.resolve();
		clearTimeout(this.#windowTimer);
		this.#window = undefined;
	}

	/** Messages were appended. */
	appended(slice: HistorySlice): void {
		if (slice.entries.length === 0) return;
		if (this.#pending !== undefined) {
			this.#pending.push(slice);
		} else if (this.#follows(slice)) {
			this.#deliver(slice);
			this.#soundAt = Date.now();
		} else {
			void this.#check([slice]);
		}
	}

	/** Some slices may not have come, until now. Whatever is missing is read and delivered. */
	verify(): void {
		this.#isDue = true;
		if (this.#pending === undefined) void this.#check();
	}

	#follows({ epoch, entries }: HistorySlice): boolean {
		const cursor = this.#cursor;
		// In one process nothing goes missing, so whatever comes first is next.
		if (cursor === undefined) return !this.#options.isShared;
		return entries[0]?.prev === cursor.offset && epoch === cursor.epoch;
	}

	#deliver({ epoch, entries }: HistorySlice): void {
		const { topic, deliver } = this.#options;
		const window = this.#window;
		for (const entry of entries) {
			const frame = frameOf(topic, epoch, entry);
			// First it counts as delivered: what a delivery sets off begins after it.
			this.#cursor = { epoch, offset: entry.offset };
			window?.push({ offset: entry.offset, prev: entry.prev, frame });
			deliver(frame);
		}
	}

	/** Asks the store for what comes after the cursor, until nothing is left that might be missing. Never rejects. */
	async #check(first: HistorySlice[] = []): Promise<void> {
		let pending = (this.#pending = first);
		let delay = FIRST_RETRY_MS;
		while (!this.#isClosed) {
			// What came before the store is asked is in its answer.
			const covered = pending.length;
			this.#isDue = false;
			const read = new Set<number>();
			let current: HistorySlice | undefined;
			try {
				current = await this.#readOn(read);
			} catch (thrown) {
				if (this.#isClosed) return;
				if (delay === FIRST_RETRY_MS) this.#options.onError(toError(thrown));
				await sleep(delay);
				delay = Math.min(LONGEST_RETRY_MS, delay * 2);
				// All that came meanwhile is stored, too.
				pending = this.#pending = [];
				continue;
			}
			if (this.#isClosed) return;
			pending = this.#pending;
			if (current !== undefined) this.#jump(current, pending.slice(0, covered));
			this.#soundAt = Date.now();
			this.#ready?.resolve();
			pending = this.#pending = this.#goOn(pending.slice(covered), read);
			if (pending.length === 0 && !this.#isDue) break;
		}
		this.#pending = undefined;
	}

	/** Delivers all that is stored after the cursor. Returns where the topic stands if that does not follow the cursor. */
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

	/** What was missed can't be had: goes on with what has come, or else from where the topic is now. */
	#jump(current: HistorySlice, came: readonly HistorySlice[]): void {
		const { epoch, offset: delivered } = this.#cursor as Position;
		// What was read came late over the connection, and counts for nothing now; except where the backend has gone back before it.
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
		this.#window = this.#windowUsers > 0 ? this.#newWindow() : undefined;
		this.#options.onLost(this.#soundAt, this.#cursor, LOST);
		for (const slice of rest) this.#deliver(slice);
	}

	/** Delivers what follows. Returns what does not, unless it was read already. */
	#goOn(slices: readonly HistorySlice[], read: ReadonlySet<number>): HistorySlice[] {
		for (const [index, slice] of slices.entries()) {
			if (this.#follows(slice)) this.#deliver(slice);
			else if (!slice.entries.every(({ offset }) => read.has(offset))) return slices.slice(index);
		}
		return [];
	}

	// What those need who catch up

	/** The newest messages, which grow with each that is delivered; to be given back. It is another one after messages were lost. */
	useWindow(): HistoryWindow {
		this.#windowUsers++;
		clearTimeout(this.#windowTimer);
		return this.window();
	}

	window(): HistoryWindow {
		return (this.#window ??= this.#newWindow());
	}

	#newWindow(): HistoryWindow {
		const { epoch, offset } = this.#cursor as Position;
		return new HistoryWindow(epoch, offset, this.#options.bounds);
	}

	returnWindow(): void {
		if (--this.#windowUsers > 0 || this.#isClosed) return;
		this.#windowTimer = setTimeout(() => (this.#window = undefined), WINDOW_LINGER_MS);
		this.#windowTimer.unref();
	}

	/** Reads the messages before those in the window; those who ask at the same time share one read. Where that fails, it is to be asked again. */
	extend(): Promise<void> {
		this.#extending ??= this.#extend(this.window())
			.catch(async (thrown: unknown) => {
				this.#options.onError(toError(thrown));
				await sleep(EXTEND_RETRY_MS);
			})
			.finally(() => (this.#extending = undefined));
		return this.#extending;
	}

	async #extend(window: HistoryWindow): Promise<void> {
		const { store, topic, bounds } = this.#options;
		const { from } = window;
		const slice = await store.read(topic, { before: from + 1, limit: PAGE }, bounds);
		// Some may have been dropped at its beginning meanwhile.
		if (window.from !== from) return;
		const leadsHere = slice.epoch === window.epoch && slice.entries.at(-1)?.offset === from;
		const messages = leadsHere ? slice.entries.map((entry) => framed(topic, slice.epoch, entry)) : [];
		window.prepend(messages, slice.entries.length < PAGE);
	}
}

function sleep(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Whether what is stored goes on from a position without a hole. */
export function continues({ epoch, last, entries }: HistorySlice, position: Position): boolean {
	return epoch === position.epoch && (entries[0]?.prev ?? last) === position.offset;
}

function framed(topic: string, epoch: string, entry: HistoryEntry): Framed {
	return { offset: entry.offset, prev: entry.prev, frame: frameOf(topic, epoch, entry) };
}
