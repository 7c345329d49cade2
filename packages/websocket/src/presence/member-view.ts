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

/** Within this time, nodes that can do put back what the backend has lost, in milliseconds. */
const PUT_BACK_MS = 5_000;
/** How long it may take until the end of a member arrives here, once the backend knows of it, in milliseconds. */
const END_ARRIVES_MS = 1_000;

/**
 * A topic's members as they are shown: those that the backend has, and this node's own, which are there even while the
 * backend is away.
 */
export class MemberView {
	readonly #options: MemberViewOptions;
	readonly #shown = new Map<string, ShownMember>();
	/** Members of other nodes, too, that the backend has lost; whether it has them again. Their nodes put them back. */
	readonly #lost = new Map<string, 'missing' | 'back'>();
	/** This node's members that the backend does not have yet, so that their time is reckoned. */
	readonly #reckoned = new Set<string>();
	/** Members that are no longer here although the backend has them: it will hear of their end. */
	readonly #ended = new Set<string>();
	#backTimer: ReturnType<typeof setTimeout> | undefined;
	#missingTimer: ReturnType<typeof setTimeout> | undefined;
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
	 * as long as the lease of their nodes can last. Those that it has again are shown as they were until all nodes can
	 * have put them back: the first that does may be the one that they leave, and knows only its own connections.
	 */
	keepLost(): void {
		const { topic, own, stored } = this.#options;
		for (const key of this.#shown.keys()) {
			const isOnlyHere = stored.get(key)?.isOnlyHere ?? true;
			if (own.get(topic, key) === undefined || !isOnlyHere) this.#lost.set(key, 'missing');
		}
		if (this.#lost.size > 0) this.#forgetLater();
	}

	#forgetLater(): void {
		clearTimeout(this.#backTimer);
		clearTimeout(this.#missingTimer);
		this.#backTimer = this.#after(PUT_BACK_MS, () => {
			this.#backTimer = undefined;
			this.#forgetLost('back');
		});
		this.#missingTimer = this.#after(LEASE_MS, () => {
			this.#forgetLost('missing');
			this.#forgetLost('back');
		});
	}

	#after(ms: number, forget: () => void): ReturnType<typeof setTimeout> {
		return setTimeout(() => {
			// No node can put anything back meanwhile.
			if (this.#options.isReady()) forget();
			else this.#forgetLater();
		}, ms).unref();
	}

	#forgetLost(which: 'missing' | 'back'): void {
		const keys = [...this.#lost].flatMap(([key, state]) => (state === which ? key : []));
		for (const key of keys) this.#lost.delete(key);
		for (const key of keys) this.update(key);
	}

	/** Forgets all members. */
	clear(): void {
		clearTimeout(this.#backTimer);
		this.#backTimer = undefined;
		clearTimeout(this.#missingTimer);
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
		if (this.#lost.size > 0 && this.#lost.has(key)) {
			if (entry !== undefined) entry.isOnlyHere = false;
			if (entry === undefined || this.#backTimer !== undefined) {
				if (entry !== undefined) this.#lost.set(key, 'back');
				return before;
			}
			// All nodes have had the time: there is nothing to wait for.
			this.#lost.delete(key);
		}
		if (mine === undefined) {
			this.#reckoned.delete(key);
			if (entry === undefined) return undefined;
			// The backend will say that it has left, unless the member has come to another node meanwhile.
			if (entry.isOnlyHere) {
				this.#end(key);
				return before;
			}
			return changed(before, key, entry.connections, entry.since, entry.info);
		}
		// While it lingers, another node can take it over, which is no change to those who watch.
		if (entry !== undefined && mine.connections === 0) entry.isOnlyHere = false;
		const since = entry === undefined ? this.#reckon(mine) : this.#learn(mine, entry.since, entry.isOnlyHere);
		if (entry !== undefined && !entry.isOnlyHere)
			return changed(before, key, Math.max(entry.connections, mine.connections), since, entry.info);
		const connections = mine.connections || (entry?.connections ?? before?.member.connections ?? 1);
		return changed(before, key, connections, since, mine.info);
	}

	/** Shows a member as the backend has it if that knows of its end here, and has it all the same. */
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

	#learn({ key, sinceAt }: OwnMember, since: number, isOnlyHere: boolean): number {
		if (this.#reckoned.delete(key) && isOnlyHere) this.#options.clock.aheadMs = since - wallTime(sinceAt);
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
