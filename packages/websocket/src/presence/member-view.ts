import { LEASE_MS } from '../nodes/lease.ts';
import { wallTime } from '../support/wall-time.ts';
import type { OwnMember, OwnMembersView } from './own-members-contract.ts';
import { type ShownMember, shownMember, type StoredMembers } from './stored-members.ts';

/** How far the backend's clock is ahead of this node's, as far as is known, in milliseconds. */
export interface BackendClock {
	aheadMs: number;
}

export interface MemberViewOptions {
	readonly topic: string;
	readonly own: OwnMembersView;
	readonly stored: StoredMembers;
	readonly clock: BackendClock;
	readonly isReady: () => boolean;
	/** Called when a member is no longer as it was. */
	readonly onChange: (key: string) => void;
}

/** How long it may take until the end of a member arrives here, once the backend knows of it, in milliseconds. */
const END_ARRIVES_MS = 1_000;

/**
 * A topic's members as they are shown: those that the backend has, and this node's own, which are there even while the
 * backend is away.
 */
export class MemberView {
	readonly #options: MemberViewOptions;
	readonly #shown = new Map<string, ShownMember>();
	/** Members of other nodes that the backend has lost. Their nodes put them back. */
	readonly #lost = new Map<string, ShownMember>();
	/** This node's members that the backend does not have yet, so that their time is reckoned. */
	readonly #reckoned = new Set<string>();
	/** Members that are not shown any longer although the backend has them, as it will hear of their end. */
	readonly #ended = new Set<string>();
	#timer: ReturnType<typeof setTimeout> | undefined;
	#endTimer: ReturnType<typeof setTimeout> | undefined;

	constructor(options: MemberViewOptions) {
		this.#options = options;
	}

	get size(): number {
		return this.#shown.size;
	}

	get(key: string): ShownMember | undefined {
		return this.#shown.get(key);
	}

	entries(): Iterable<readonly [key: string, shown: ShownMember]> {
		return this.#shown;
	}

	/** Called when what is known of a member may have changed. */
	update(key: string): void {
		const before = this.#shown.get(key);
		const now = this.#now(key, before);
		if (now === before) return;
		if (now === undefined) this.#shown.delete(key);
		else this.#shown.set(key, now);
		this.#options.onChange(key);
	}

	/** Called when that may be so for all members. */
	updateAll(): void {
		const { topic, own, stored } = this.#options;
		const keys = new Set([...this.#shown.keys(), ...stored.keys()]);
		for (const { key } of own.of(topic)) keys.add(key);
		for (const key of keys) this.update(key);
	}

	/**
	 * Called before members are reset that the backend has lost, all or some. Those that it does not have are shown for
	 * as long as the lease of their nodes can last.
	 */
	keepLost(): void {
		const { topic, own } = this.#options;
		for (const [key, shown] of this.#shown) if (own.get(topic, key) === undefined) this.#lost.set(key, shown);
		this.#forgetLater();
	}

	#forgetLater(): void {
		clearTimeout(this.#timer);
		if (this.#lost.size === 0) return;
		this.#timer = setTimeout(() => {
			// No node can put anything back meanwhile.
			if (!this.#options.isReady()) return this.#forgetLater();
			const keys = [...this.#lost.keys()];
			this.#lost.clear();
			for (const key of keys) this.update(key);
		}, LEASE_MS);
		this.#timer.unref();
	}

	/** Forgets all members. */
	clear(): void {
		clearTimeout(this.#timer);
		clearTimeout(this.#endTimer);
		this.#endTimer = undefined;
		this.#ended.clear();
		this.#shown.clear();
		this.#lost.clear();
		this.#reckoned.clear();
	}

	#now(key: string, before: ShownMember | undefined): ShownMember | undefined {
		const { topic, own, stored } = this.#options;
		const mine = own.get(topic, key);
		const entry = stored.get(key);
		if (entry !== undefined && this.#lost.size > 0) this.#lost.delete(key);
		if (mine === undefined) {
			this.#reckoned.delete(key);
			if (entry === undefined) return this.#lost.get(key);
			// The backend will hear of it.
			if (entry.isOnlyHere) {
				this.#end(key);
				return undefined;
			}
			return changed(before, key, entry.connections, entry.since, entry.info);
		}
		// While it lingers, another node can take it over, which is no change to those who watch.
		if (entry !== undefined && mine.connections === 0) entry.isOnlyHere = false;
		const since = entry === undefined ? this.#reckon(mine) : this.#learn(key, entry.since, entry.isOnlyHere, before);
		if (entry !== undefined && !entry.isOnlyHere)
			return changed(before, key, Math.max(entry.connections, mine.connections), since, entry.info);
		const connections = mine.connections || (entry?.connections ?? before?.member.connections ?? 1);
		return changed(before, key, connections, since, mine.info);
	}

	/** Shows a member again if the backend knows of its end, and has it all the same. */
	#end(key: string): void {
		this.#ended.add(key);
		if (this.#endTimer !== undefined) return;
		this.#endTimer = setTimeout(() => void this.#endsHaveArrived(), END_ARRIVES_MS).unref();
	}

	async #endsHaveArrived(): Promise<void> {
		const { topic, own, stored, isReady } = this.#options;
		const timer = this.#endTimer;
		await own.settled(topic);
		// The members were cleared meanwhile.
		if (this.#endTimer !== timer) return;
		this.#endTimer = undefined;
		const keys = [...this.#ended];
		this.#ended.clear();
		for (const key of keys) {
			const entry = stored.get(key);
			if (entry?.isOnlyHere !== true || own.get(topic, key) !== undefined) continue;
			if (isReady()) {
				// Another node has taken the member over while it lingered, which was no change for others.
				entry.isOnlyHere = false;
				this.update(key);
			} else this.#end(key);
		}
	}

	/** Returns since when a member is there that the backend does not have yet, by the backend's clock. */
	#reckon({ key, sinceAt }: OwnMember): number {
		const before = this.#shown.get(key)?.member.since;
		this.#reckoned.add(key);
		return before ?? Math.round(wallTime(sinceAt) + this.#options.clock.aheadMs);
	}

	#learn(key: string, since: number, isOnlyHere: boolean, before: ShownMember | undefined): number {
		if (this.#reckoned.delete(key) && isOnlyHere && before !== undefined)
			this.#options.clock.aheadMs += since - before.member.since;
		return since;
	}
}

/** Returns the member as it was, if it is the same. */
function changed(
	before: ShownMember | undefined,
	key: string,
	connections: number,
	since: number,
	info: string | undefined,
): ShownMember {
	if (before?.info === info && before?.member.connections === connections && before.member.since === since)
		return before;
	return shownMember(key, connections, since, info);
}
