import { toError, within } from '../support/promises.ts';
import type { Turns } from '../support/turns.ts';
import type { PresenceContent } from '../wire/presence-frame.ts';
import type { Applied } from './stored-members.ts';

/**
 * - `away`: the backend is unavailable, all or a part of it, or the provider is stopped
 * - `waiting`: a read follows soon
 * - `reading`: what arrives is kept until the read has ended
 * - `following`: each change is applied
 */
type Phase = 'away' | 'waiting' | 'reading' | 'following' | 'closed';

export interface TopicSyncOptions<TRead> {
	readonly turns: Turns;
	readonly isReady: () => boolean;
	/** Subscribes to the topic's changes. Resolves once all changes from then on arrive. */
	readonly subscribe: () => Promise<void>;
	readonly read: () => Promise<TRead>;
	/** Starts from what was read. */
	readonly reset: (read: TRead) => void;
	readonly apply: (content: PresenceContent, isOwn: boolean) => Applied;
	/** Called when `isStale` may have changed. */
	readonly onStale: () => void;
	readonly onError: (error: Error) => void;
}

/** The longest random delay before a read, in milliseconds, so that the nodes don't all read at once. */
const MISSED_JITTER_MS = 50;
const READY_JITTER_MS = 250;
/** The first and the longest delay after a failed read, in milliseconds. */
const RETRY_FIRST_MS = 250;
const RETRY_LAST_MS = 5_000;
/** How long a read may take, in milliseconds, so that one that gets no answer does not keep others from their turn. */
const READ_TIMEOUT_MS = 5_000;
/** After this long without following, what is known is stale, in milliseconds. */
const STALE_AFTER_MS = 1_000;
/** More changes than this are not kept during a read: it is repeated. */
const MOST_KEPT = 1_000;

/**
 * Keeps a topic's members in step with the backend: reads them, then follows the changes, and reads again after
 * anything that may have been missed. One read at a time.
 */
export class TopicSync<TRead> {
	readonly #options: TopicSyncOptions<TRead>;
	#phase: Phase = 'away';
	/** The number of the current read. An earlier one that ends late is ignored. */
	#course = 0;
	#failures = 0;
	/** Whether something was missed during the read. */
	#isMissing = false;
	#kept: { readonly content: PresenceContent; readonly isOwn: boolean }[] = [];
	#timer: ReturnType<typeof setTimeout> | undefined;
	#staleTimer: ReturnType<typeof setTimeout> | undefined;
	#isStale = false;
	/** While away: whether the changes that still arrive follow what is known. */
	#isUnbroken = false;

	constructor(options: TopicSyncOptions<TRead>) {
		this.#options = options;
	}

	/** Whether members of other nodes are as they were last known. */
	get isStale(): boolean {
		return this.#isStale;
	}

	start(): void {
		if (this.#options.isReady()) this.#later(0);
		else this.#setStale(true);
	}

	/** Called when the topic has changed. @param isOwn whether by this node */
	received(content: PresenceContent, isOwn: boolean): void {
		if (this.#phase === 'following') {
			if (this.#options.apply(content, isOwn) === 'missed') this.#later(MISSED_JITTER_MS);
		} else if (this.#phase === 'reading') {
			if (this.#kept.length < MOST_KEPT) this.#kept.push({ content, isOwn });
			else this.#isMissing = true;
		} else if (this.#isUnbroken) {
			this.#isUnbroken = this.#options.apply(content, isOwn) !== 'missed';
		}
	}

	/** Called when changes may have been missed. */
	missed(): void {
		if (this.#phase === 'following') this.#later(MISSED_JITTER_MS);
		else if (this.#phase === 'reading') this.#isMissing = true;
	}

	/** Called when the backend has become available or unavailable. */
	statusChanged(): void {
		if (this.#phase === 'closed') return;
		if (this.#options.isReady()) {
			if (this.#phase === 'away') this.#later(READY_JITTER_MS);
			return;
		}
		const wasFollowing = this.#phase === 'following';
		this.#enter('away');
		this.#isUnbroken = wasFollowing;
		this.#setStale(true);
	}

	close(): void {
		this.#enter('closed');
		clearTimeout(this.#staleTimer);
	}

	#enter(phase: Phase): void {
		this.#phase = phase;
		this.#course++;
		this.#kept = [];
		this.#isMissing = false;
		this.#isUnbroken = false;
		clearTimeout(this.#timer);
	}

	#later(mostMs: number, leastMs = 0): void {
		this.#enter('waiting');
		if (!this.#isStale) this.#armStale();
		if (mostMs === 0) return void this.#read();
		this.#timer = setTimeout(() => void this.#read(), leastMs + Math.random() * (mostMs - leastMs));
		this.#timer.unref();
	}

	/** Never rejects. */
	async #read(): Promise<void> {
		const { turns, subscribe, read, reset, onError } = this.#options;
		this.#enter('reading');
		const course = this.#course;
		try {
			await subscribe();
			if (this.#course !== course) return;
			// What came before says nothing that the read does not.
			this.#kept = [];
			this.#isMissing = false;
			const result = await turns.run(() =>
				this.#course === course ? within(READ_TIMEOUT_MS, read(), noAnswer, UNREF) : NOTHING,
			);
			if (this.#course !== course || result === undefined) return;
			reset(result);
		} catch (thrown) {
			if (this.#course !== course) return;
			onError(toError(thrown));
			const delayMs = Math.min(RETRY_FIRST_MS * 2 ** this.#failures++, RETRY_LAST_MS);
			return this.#later(delayMs * 1.5, delayMs * 0.5);
		}
		this.#follow();
	}

	#follow(): void {
		const kept = this.#kept;
		const isMissing = this.#isMissing;
		this.#failures = 0;
		this.#enter('following');
		for (const { content, isOwn } of kept) if (this.#phase === 'following') this.received(content, isOwn);
		if (this.#phase !== 'following') return;
		if (isMissing) return this.#later(MISSED_JITTER_MS);
		clearTimeout(this.#staleTimer);
		this.#staleTimer = undefined;
		this.#setStale(false);
	}

	#armStale(): void {
		this.#staleTimer ??= setTimeout(() => {
			this.#staleTimer = undefined;
			this.#setStale(true);
		}, STALE_AFTER_MS);
		this.#staleTimer.unref();
	}

	#setStale(isStale: boolean): void {
		if (this.#isStale === isStale) return;
		this.#isStale = isStale;
		this.#options.onStale();
	}
}

const NOTHING = Promise.resolve(undefined);
const UNREF = { unref: true };

function noAnswer(): Error {
	return new Error(`the backend has not answered within ${READ_TIMEOUT_MS} ms`);
}
