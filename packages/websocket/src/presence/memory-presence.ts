import { DONE, rejected } from '../support/promises.ts';
import { encodePresenceFrame, type PresenceContent } from '../wire/presence-frame.ts';
import { PresenceLeaseLostError } from './errors.ts';
import { MemoryLeases } from './memory-leases.ts';
import { MemoryPresenceTopic } from './memory-presence-topic.ts';
import {
	MAX_PRESENCE_OPS,
	type PresenceBatch,
	type PresenceLease,
	type PresenceQuery,
	type PresenceState,
	type PresenceStore,
	type Renewal,
	type StoredPresence,
	type Sweep,
	type SweepOptions,
	VERSION_KEPT_MS,
} from './presence-store.ts';
import { RecordIndex } from './record-index.ts';

/** The most topics without members whose versions are kept, so that clients which enter others fill no memory. */
const MOST_EMPTIED = 10_000;

const NOTHING: PresenceState = { version: undefined, count: 0 };

export interface MemoryPresenceOptions {
	/**
	 * Whether several nodes use the store, so that they need leases. Otherwise leases are neither checked nor swept.
	 * Default false.
	 */
	readonly isShared?: boolean;
	/** The store's clock, in milliseconds since the epoch. Default `Date.now`. */
	readonly now?: () => number;
}

/** Keeps presence in the memory of this process. Each call takes effect before it returns. */
export class MemoryPresence implements PresenceStore {
	readonly #deliver: (topic: string, frame: Buffer) => void;
	readonly #now: () => number;
	readonly #leases: MemoryLeases | undefined;
	readonly #index: RecordIndex | undefined;
	readonly #topics = new Map<string, MemoryPresenceTopic>();
	/** When the last member of each topic left that has none, in milliseconds since the epoch. The oldest come first. */
	readonly #emptied = new Map<string, number>();

	/** @param deliver called with each change frame, before the call returns that caused it */
	constructor(
		deliver: (topic: string, frame: Buffer) => void,
		{ isShared = false, now = Date.now }: MemoryPresenceOptions = {},
	) {
		this.#deliver = deliver;
		this.#now = now;
		this.#leases = isShared ? new MemoryLeases() : undefined;
		this.#index = isShared ? new RecordIndex() : undefined;
	}

	prepare(): Promise<void> {
		return DONE;
	}

	/** Nothing is ever lost. */
	onLost(): void {}

	apply(topic: string, { lease, header, ops, membersUpTo }: PresenceBatch): Promise<PresenceState> {
		if (this.#leases?.isValid(lease) === false) return rejected(new PresenceLeaseLostError());
		const now = this.#now();
		let stored = this.#find(topic, now);
		if (stored === undefined) {
			if (ops.every(({ kind }) => kind !== 'put')) return Promise.resolve(NOTHING);
			this.#topics.set(topic, (stored = new MemoryPresenceTopic(topic, this.#index)));
		}
		this.#publish(topic, header, stored.apply(lease, ops, now, membersUpTo), now);
		return Promise.resolve(stored.state);
	}

	read(topic: string, query: PresenceQuery): Promise<StoredPresence> {
		const read = this.#find(topic, this.#now())?.read(query);
		return Promise.resolve(read ?? { ...NOTHING, members: [], hasMore: false, skipped: 0 });
	}

	count(topic: string): Promise<PresenceState> {
		return Promise.resolve(this.#find(topic, this.#now())?.state ?? NOTHING);
	}

	renew(lease: PresenceLease, leaseMs: number, isNew: boolean): Promise<Renewal> {
		const now = this.#now();
		const renewal = this.#leases?.renew(lease, leaseMs, isNew, now);
		return Promise.resolve(renewal ?? { isKept: true, expired: [], released: [], now });
	}

	sweep(lease: PresenceLease, { header, membersUpTo, topics }: SweepOptions): Promise<Sweep> {
		const now = this.#now();
		const wanted = this.#leases?.beginSweep(lease, now);
		if (wanted === undefined || this.#index === undefined) return Promise.resolve({ isDone: true, removed: 0 });
		let removed = 0;
		for (const { topic, keys } of this.#index.take(lease, topics)) {
			for (let at = 0; at < keys.length; at += MAX_PRESENCE_OPS) {
				const some = keys.slice(at, at + MAX_PRESENCE_OPS);
				const swept = this.#topics.get(topic)?.sweep(lease, some, wanted === 'due', now, membersUpTo(topic));
				removed += swept?.removed ?? 0;
				this.#publish(topic, header, swept?.content, now);
			}
		}
		const isDone = this.#index.isEmpty(lease);
		if (isDone) this.#leases?.forget(lease);
		return Promise.resolve({ isDone, removed });
	}

	release(lease: PresenceLease, afterMs: number): Promise<void> {
		this.#leases?.release(lease, afterMs, this.#now());
		return DONE;
	}

	/** Forgets everything. */
	clear(): void {
		this.#topics.clear();
		this.#emptied.clear();
		this.#index?.clear();
		this.#leases?.clear();
	}

	/** Returns how many topics are in memory, those included that have no members. */
	size(): { readonly topics: number } {
		return { topics: this.#topics.size };
	}

	#publish(topic: string, header: Uint8Array, content: PresenceContent | undefined, now: number): void {
		if (content === undefined) return;
		if (content.count > 0) this.#emptied.delete(topic);
		else this.#emptied.set(topic, now);
		this.#deliver(topic, encodePresenceFrame(header, content));
	}

	#find(topic: string, now: number): MemoryPresenceTopic | undefined {
		for (const [old, at] of this.#emptied) {
			if (now - at <= VERSION_KEPT_MS && this.#emptied.size <= MOST_EMPTIED) break;
			this.#emptied.delete(old);
			this.#topics.delete(old);
		}
		return this.#topics.get(topic);
	}
}
