import { HistoryUnavailableError } from '../errors.ts';
import type { Position } from '../protocol/position.ts';
import { sleep, toError } from '../support/promises.ts';
import { frameOf } from './framing.ts';
import type { HistoryBounds, HistoryStore } from './history-store.ts';
import { type Framed, HistoryWindow } from './history-window.ts';

export interface SharedWindowOptions {
	readonly topic: string;
	readonly bounds: HistoryBounds;
	readonly store: HistoryStore;
	/** The last message that was delivered on this node. */
	readonly cursor: () => Position;
	/** The store could not be read. */
	readonly onUnreadable: (error: Error) => void;
}

/** How many messages are read at once. */
const PAGE = 200;
const RETRY_MS = 500;
/** How many reads in a row may fail until those who wait for the messages are told. */
const FAILURES_TO_TELL = 4;
/** How long an unused window is kept for sockets that reconnect a little later, in milliseconds. */
const LINGER_MS = 2_000;

/**
 * A topic's window, shared by all sockets that are catching up, so that the store is read only once. It exists only
 * while a socket needs it.
 */
export class SharedWindow {
	readonly #options: SharedWindowOptions;
	#window: HistoryWindow | undefined;
	#users = 0;
	#lingering: ReturnType<typeof setTimeout> | undefined;
	#extending: Promise<void> | undefined;
	/** How many reads in a row have failed. */
	#failures = 0;
	#isClosed = false;

	constructor(options: SharedWindowOptions) {
		this.#options = options;
	}

	/** Keeps the window until the matching `release`. */
	acquire(): void {
		this.#users++;
		clearTimeout(this.#lingering);
		this.current();
	}

	release(): void {
		if (--this.#users > 0 || this.#isClosed) return;
		this.#lingering = setTimeout(() => (this.#window = undefined), LINGER_MS);
		this.#lingering.unref();
	}

	/** Returns the current window, creating it if needed. `restart` replaces it. */
	current(): HistoryWindow {
		return (this.#window ??= this.#create());
	}

	/** Adds a message that is being delivered to the window, if there is one. */
	push(message: Framed): void {
		this.#window?.push(message);
	}

	/** Replaces the window by one that starts at the cursor, because messages were lost. */
	restart(): void {
		this.#window = this.#users > 0 ? this.#create() : undefined;
	}

	close(): void {
		this.#isClosed = true;
		clearTimeout(this.#lingering);
		this.#window = undefined;
	}

	/**
	 * Reads the messages before those in the window. Simultaneous calls share one read. Resolves even if the read
	 * fails; the next call tries again.
	 *
	 * @throws {HistoryUnavailableError} several reads in a row have failed
	 */
	extend(): Promise<void> {
		this.#extending ??= this.#extend(this.current())
			.then(
				() => void (this.#failures = 0),
				(thrown: unknown) => this.#failed(toError(thrown)),
			)
			.finally(() => (this.#extending = undefined));
		return this.#extending;
	}

	async #failed(error: Error): Promise<void> {
		const { topic, onUnreadable } = this.#options;
		onUnreadable(error);
		if (++this.#failures >= FAILURES_TO_TELL) throw new HistoryUnavailableError(topic, { cause: error });
		await sleep(RETRY_MS);
	}

	async #extend(window: HistoryWindow): Promise<void> {
		const { store, topic, bounds } = this.#options;
		const { from } = window;
		const { epoch, entries } = await store.read(topic, { before: from + 1, limit: PAGE }, bounds);
		// Meanwhile the window may have dropped messages at its beginning.
		if (window.from !== from) return;
		const leadsHere = epoch === window.epoch && entries.at(-1)?.offset === from;
		const messages = leadsHere
			? entries.map((entry) => ({ offset: entry.offset, prev: entry.prev, frame: frameOf(topic, epoch, entry) }))
			: [];
		window.prepend(messages, entries.length < PAGE);
	}

	#create(): HistoryWindow {
		const { epoch, offset } = this.#options.cursor();
		return new HistoryWindow(epoch, offset, this.#options.bounds);
	}
}
