import type { PresenceContent, PresenceFrameChange } from '../wire/presence-frame.ts';
import {
	INFO_IS_NEW_MS,
	type PresenceLease,
	type PresenceOp,
	type PresenceQuery,
	type PresenceState,
	type StoredPresence,
} from './presence-store.ts';
import type { RecordIndex } from './record-index.ts';
import { SortedKeys } from './sorted-keys.ts';

/** How much earlier than its time a record may expire, in milliseconds. */
const EXPIRY_TOLERANCE_MS = 50;
/** With more members than allowed, changes name them again when there are fewer than this part of what is allowed. */
const NAMED_AGAIN_BELOW = 0.9;

/** That a member has connections to a node. */
interface PresenceRecord {
	readonly nodeId: string;
	generation: number;
	connections: number;
	since: number;
	info: string | undefined;
	/** When its info was set, in milliseconds, or a little later: of a member's records, the latest counts. */
	infoAt: number;
	/** Since when and until when it lingers. */
	lingers: { readonly from: number; readonly until: number } | undefined;
}

/** A member as others see it. */
type MemberView = Pick<PresenceFrameChange, 'connections' | 'since' | 'info'>;

/** The members of one topic. */
export class MemoryPresenceTopic {
	readonly #topic: string;
	readonly #index: RecordIndex | undefined;
	readonly #members = new Map<string, PresenceRecord[]>();
	readonly #keys = new SortedKeys(() => this.#members.keys());
	readonly #epoch = randomEpoch();
	#n = 0;
	#isCountOnly = false;

	/** @param index is told which records there are */
	constructor(topic: string, index: RecordIndex | undefined) {
		this.#topic = topic;
		this.#index = index;
	}

	get state(): PresenceState {
		return { version: { epoch: this.#epoch, n: this.#n }, count: this.#members.size };
	}

	/** Applies changes of a node. Returns what has changed for others, as one change; undefined if nothing has. */
	apply(lease: PresenceLease, ops: readonly PresenceOp[], now: number, upTo: number): PresenceContent | undefined {
		const changes: PresenceFrameChange[] = [];
		for (const op of ops) {
			const before = this.#viewOf(op.key);
			this.#applyOne(lease, op, now);
			this.#addChange(changes, op.key, before);
		}
		return this.#changed(changes, upTo);
	}

	/**
	 * Removes a node's records of members, of generations up to that of the lease. Returns how many, and what that has
	 * changed for others.
	 *
	 * @param isDueOnly whether to remove only records that have lingered for their time
	 */
	sweep(
		lease: PresenceLease,
		keys: readonly string[],
		isDueOnly: boolean,
		now: number,
		upTo: number,
	): { readonly removed: number; readonly content: PresenceContent | undefined } {
		const changes: PresenceFrameChange[] = [];
		let removed = 0;
		for (const key of keys) {
			const record = this.#find(key, lease.nodeId);
			if (record === undefined || record.generation > lease.generation) continue;
			if (isDueOnly && !isDue(record, now)) continue;
			const before = this.#viewOf(key);
			this.#remove(key, record);
			removed++;
			this.#addChange(changes, key, before);
		}
		return { removed, content: this.#changed(changes, upTo) };
	}

	read({ after, limit }: PresenceQuery): StoredPresence {
		const keys = this.#keys.page(after, limit + 1);
		const members = keys.slice(0, limit).map((key) => {
			const records = this.#members.get(key) ?? [];
			const nodes = records.map(({ nodeId, generation }) => ({ nodeId, generation }));
			return { key, ...viewOf(records), nodes };
		});
		return { ...this.state, members, hasMore: keys.length > limit, skipped: 0 };
	}

	// Records

	#applyOne(lease: PresenceLease, op: PresenceOp, now: number): void {
		if (op.kind === 'put') return this.#put(lease, op, now);
		const record = this.#find(op.key, lease.nodeId);
		if (record === undefined) return;
		switch (op.kind) {
			case 'remove':
				return this.#remove(op.key, record);
			case 'expire':
				if (isDue(record, now)) this.#remove(op.key, record);
				return;
			case 'linger':
				if (op.ms <= 0) return this.#remove(op.key, record);
				this.#setGeneration(op.key, record, lease.generation);
				record.lingers = { from: now, until: now + op.ms };
				if (!this.#isLive(op.key)) this.#removeOthers(op.key, record);
		}
	}

	#put(lease: PresenceLease, op: PresenceOp & { readonly kind: 'put' }, now: number): void {
		const record = this.#find(op.key, lease.nodeId) ?? this.#create(lease, op, now);
		this.#setGeneration(op.key, record, lease.generation);
		record.connections = op.connections;
		record.lingers = undefined;
		if (record.info !== op.info) {
			record.info = op.info;
			record.infoAt = this.#infoAt(op, now);
		}
		const records = this.#members.get(op.key) ?? [];
		if (records.length === 1) return;
		for (const other of records.filter(({ lingers }) => lingers !== undefined)) {
			record.since = Math.min(record.since, other.since);
			this.#remove(op.key, other);
		}
	}

	#create(lease: PresenceLease, op: PresenceOp & { readonly kind: 'put' }, now: number): PresenceRecord {
		const record: PresenceRecord = {
			nodeId: lease.nodeId,
			generation: lease.generation,
			connections: op.connections,
			since: now - Math.round(op.ageMs),
			info: op.info,
			infoAt: this.#infoAt(op, now),
			lingers: undefined,
		};
		const records = this.#members.get(op.key);
		if (records === undefined) {
			this.#members.set(op.key, [record]);
			this.#keys.added(op.key);
		} else records.push(record);
		this.#index?.add(lease, this.#topic, op.key);
		return record;
	}

	#infoAt({ key, infoAgeMs = 0 }: PresenceOp & { readonly kind: 'put' }, now: number): number {
		const at = now - infoAgeMs;
		if (infoAgeMs >= INFO_IS_NEW_MS) return at;
		return Math.max(at, ...(this.#members.get(key)?.map(({ infoAt }) => infoAt + 1) ?? []));
	}

	#setGeneration(key: string, record: PresenceRecord, generation: number): void {
		if (record.generation === generation) return;
		this.#index?.remove(record, this.#topic, key);
		record.generation = generation;
		this.#index?.add(record, this.#topic, key);
	}

	#remove(key: string, record: PresenceRecord): void {
		const records = this.#members.get(key);
		if (records === undefined) return;
		records.splice(records.indexOf(record), 1);
		this.#index?.remove(record, this.#topic, key);
		if (records.length > 0) return;
		this.#members.delete(key);
		this.#keys.removed(key);
	}

	#find(key: string, nodeId: string): PresenceRecord | undefined {
		return this.#members.get(key)?.find((record) => record.nodeId === nodeId);
	}

	#isLive(key: string): boolean {
		return this.#members.get(key)?.some(({ lingers }) => lingers === undefined) === true;
	}

	#removeOthers(key: string, kept: PresenceRecord): void {
		for (const record of this.#members.get(key)?.filter((each) => each !== kept) ?? []) this.#remove(key, record);
	}

	// What others see

	#viewOf(key: string): MemberView | undefined {
		const records = this.#members.get(key);
		return records === undefined ? undefined : viewOf(records);
	}

	#addChange(changes: PresenceFrameChange[], key: string, before: MemberView | undefined): void {
		const after = this.#viewOf(key);
		if (after === undefined) {
			if (before !== undefined) changes.push({ kind: 'left', key, ...before });
		} else if (before === undefined) changes.push({ kind: 'joined', key, ...after });
		else if (!isSame(before, after)) changes.push({ kind: 'updated', key, ...after });
	}

	#changed(changes: readonly PresenceFrameChange[], upTo: number): PresenceContent | undefined {
		if (changes.length === 0) return undefined;
		const count = this.#members.size;
		this.#isCountOnly = upTo === 0 || count > upTo || (this.#isCountOnly && count >= upTo * NAMED_AGAIN_BELOW);
		return { epoch: this.#epoch, n: ++this.#n, count, changes: this.#isCountOnly ? undefined : changes };
	}
}

/** Returns 8 characters with 48 random bits. */
function randomEpoch(): string {
	return Buffer.from(crypto.getRandomValues(new Uint8Array(6))).toString('base64url');
}

function viewOf(records: readonly PresenceRecord[]): MemberView {
	const live = records.length > 1 ? records.filter(({ lingers }) => lingers === undefined) : records;
	const shown = live.length > 0 ? live : records;
	let connections = 0;
	let since = Infinity;
	let latest = shown[0];
	for (const record of shown) {
		connections += record.connections;
		since = Math.min(since, record.since);
		if (latest === undefined || record.infoAt > latest.infoAt) latest = record;
	}
	return { connections, since, info: latest?.info };
}

function isSame(a: MemberView, b: MemberView): boolean {
	return a.connections === b.connections && a.since === b.since && a.info === b.info;
}

/** Returns whether a record has lingered for its time. If the clock was set back meanwhile, that can't be told. */
function isDue({ lingers }: PresenceRecord, now: number): boolean {
	return lingers !== undefined && (now >= lingers.until - EXPIRY_TOLERANCE_MS || now < lingers.from);
}
