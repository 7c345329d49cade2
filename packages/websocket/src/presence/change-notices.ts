import { randomEpoch } from '../history/history-store.ts';
import {
	type EncodedChanges,
	encodePresenceNotice,
	type PresenceMember,
	type PresenceNotice,
	type PresenceVersion,
} from '../protocol/presence.ts';
import { DONE } from '../support/promises.ts';
import type { MemberView } from './member-view.ts';
import type { PresenceChange, WatchedMembers } from './presence-contract.ts';
import { isSame } from './stored-members.ts';
import { PAGE_MEMBERS, ToldMembers } from './told-members.ts';
import { NOTICE_BYTES, UntoldChanges } from './untold-changes.ts';

/** What watchers hear about a topic apart from its members. */
export interface ToldState {
	readonly count: number;
	readonly areMembersKnown: boolean;
	readonly isStale: boolean;
}

export interface ChangeNoticesOptions {
	readonly topic: string;
	readonly view: MemberView;
	readonly state: () => ToldState;
	/**
	 * Called with what has changed, and with a function that encodes a frame for clients, to be called at most once, at
	 * once, if there are any. Either is undefined if there is nothing to tell to listeners, or to clients.
	 */
	readonly onTell: (change: PresenceChange | undefined, frame: (() => string) | undefined) => void;
}

/**
 * The least time between two notices of a topic, in milliseconds. As a notice has at most {@link NOTICE_BYTES} of
 * changes, no client is sent more than 256 KiB of them per second and topic.
 */
const NOTICE_EVERY_MS = 250;
/**
 * With more than this to tell, in characters, clients read the members again, each as fast as it can: by notices, they
 * would be behind for four seconds or more.
 */
const MOST_UNTOLD = 1_048_576;

/**
 * Tells what has changed in a topic: the first change at once, with all of the same turn; from then on, at most every
 * {@link NOTICE_EVERY_MS} the net effect since the last notice. Listeners and pages have all of it at once; clients
 * that watch are sent what is too much for one notice by the following ones. The version that it tells is this node's
 * own: it grows with each notice, and does not follow the one before if clients must ask for the members again.
 */
export class ChangeNotices {
	readonly #options: ChangeNoticesOptions;
	/** The members that may have changed since the last notice. */
	readonly #changed = new Set<string>();
	readonly #untold = new UntoldChanges();
	/** When clients may be made to read again: those that read slowly are to come to an end. */
	#mayReadAgainAt = -Infinity;
	#members = new ToldMembers();
	#version: PresenceVersion = { epoch: randomEpoch(), n: 1 };
	#told: ToldState;
	/** Whether members have become known that were not. */
	#isRevealing = false;
	#lastAt = -Infinity;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#isDue = false;
	/** Called once everything is told. */
	#waiting: (() => void)[] = [];
	#isClosed = false;

	constructor(options: ChangeNoticesOptions) {
		this.#options = options;
		this.#told = options.state();
	}

	/** Called when a member is no longer as it was. */
	changed(key: string): void {
		this.#changed.add(key);
		this.touched();
	}

	/** Called when the number of members, or whether they are stale, may have changed. */
	touched(): void {
		if (this.#isDue || this.#timer !== undefined || this.#isClosed) return;
		const waitMs = this.#lastAt + NOTICE_EVERY_MS - performance.now();
		if (waitMs <= 0) {
			this.#isDue = true;
			queueMicrotask(() => this.#tellNow());
		} else this.#timer = setTimeout(() => this.#tellNow(), waitMs).unref();
	}

	/** Resolves once all that has changed until now is told. */
	told(): Promise<void> {
		if (!this.#isDue && this.#timer === undefined) return DONE;
		return new Promise((resolve) => this.#waiting.push(resolve));
	}

	/**
	 * Returns members as they were told last, so that the next notice follows. See {@link ToldMembers.page} for the
	 * arguments.
	 */
	page(after: string | undefined, limit: number, characters?: number): WatchedMembers {
		return { ...this.#members.page(after, limit, characters), version: this.#version, ...this.#told };
	}

	/** Called when what is known now is where notices start from. */
	started(): void {
		this.#startOver();
		this.#told = this.#options.state();
	}

	/** Called when members have become known that were not. */
	revealed(): void {
		this.#isRevealing = true;
		this.touched();
	}

	/** Called when members are not known any longer. */
	concealed(): void {
		this.#isRevealing = false;
		this.touched();
	}

	#startOver(): void {
		this.#changed.clear();
		this.#untold.clear();
		this.#members = new ToldMembers();
		for (const [key, shown] of this.#options.view.entries()) this.#members.set(key, shown);
	}

	close(): void {
		this.#isClosed = true;
		clearTimeout(this.#timer);
		this.#resume();
	}

	#resume(): void {
		const waiting = this.#waiting;
		this.#waiting = [];
		for (const resolve of waiting) resolve();
	}

	#tellNow(): void {
		this.#isDue = false;
		this.#timer = undefined;
		if (!this.#isClosed) this.#tell(this.#options.state());
		this.#resume();
	}

	#tell(now: ToldState): void {
		if (this.#isRevealing) this.#reveal(now);
		else if (now.areMembersKnown) this.#tellMembers(now);
		else this.#tellCount(now);
		if (!this.#untold.isEmpty) this.touched();
	}

	#tellMembers(now: ToldState): void {
		const joined: PresenceMember[] = [];
		const left: PresenceMember[] = [];
		const updated: PresenceMember[] = [];
		for (const key of this.#changed) {
			const before = this.#members.get(key);
			const shown = this.#options.view.get(key);
			this.#members.set(key, shown);
			if (shown === undefined) {
				if (before === undefined) continue;
				left.push(before.member);
			} else if (before === undefined) joined.push(shown.member);
			else if (isSame(before, shown)) continue;
			else updated.push(shown.member);
			this.#untold.add(key, before !== undefined);
		}
		this.#changed.clear();
		const areAny = joined.length + left.length + updated.length > 0;
		for (const list of [joined, left, updated]) Object.freeze(list);
		if (areAny || this.#isOther(now)) this.#send({ joined, left, updated }, now);
		else if (!this.#untold.isEmpty) this.#send(undefined, now);
	}

	#tellCount(now: ToldState): void {
		// The view is empty.
		if (this.#told.areMembersKnown) this.#startOver();
		this.#changed.clear();
		if (this.#isOther(now)) this.#send(NOTHING, now);
	}

	#isOther({ count, areMembersKnown, isStale }: ToldState): boolean {
		const told = this.#told;
		return count !== told.count || areMembersKnown !== told.areMembersKnown || isStale !== told.isStale;
	}

	/** @param lists undefined if there is only something to tell to clients */
	#send(lists: Pick<PresenceChange, 'joined' | 'left' | 'updated'> | undefined, now: ToldState): void {
		const { topic, onTell } = this.#options;
		const { epoch, n } = this.#version;
		const isTooMuch = this.#isTooMuch();
		if (isTooMuch) this.#untold.clear();
		const version = { epoch, n: isTooMuch ? n + 2 : n + 1 };
		this.#sending(now, version);
		let areWatching = false;
		onTell(lists && { topic, ...lists, version, ...now }, () => {
			areWatching = true;
			if (isTooMuch) {
				this.#mayReadAgainAt = this.#lastAt + this.#readsForMs();
				// It does not follow the version before, so that clients ask for the members.
				return this.#encode(version, NOTHING);
			}
			return this.#encode({ epoch, n }, this.#untold.take(this.#members));
		});
		// Clients that begin to watch later are sent the members as they are then.
		if (!areWatching) this.#untold.clear();
	}

	#isTooMuch(): boolean {
		return performance.now() >= this.#mayReadAgainAt && this.#untold.size(this.#members) > MOST_UNTOLD;
	}

	/** Returns how long it would take to tell all members by notices that say no more than a page, in milliseconds. */
	#readsForMs(): number {
		return Math.max(this.#members.size() / NOTICE_BYTES, this.#told.count / PAGE_MEMBERS) * NOTICE_EVERY_MS;
	}

	/** Encodes a frame that tells how things are now, as far as clients have been told. */
	#encode(previous: PresenceVersion, changes: EncodedChanges): string {
		const { count, areMembersKnown, isStale } = this.#told;
		const notice: Omit<PresenceNotice, keyof EncodedChanges> = {
			topic: this.#options.topic,
			version: this.#version,
			previous,
			count: count + this.#untold.surplus(this.#members),
			isCountOnly: areMembersKnown ? undefined : true,
			isStale: isStale ? true : undefined,
		};
		return encodePresenceNotice(notice, changes);
	}

	/** Tells that members are known again. Clients ask for them, because this follows nothing that they know. */
	#reveal(now: ToldState): void {
		const { topic, onTell } = this.#options;
		const epoch = randomEpoch();
		// That they must forget whom they know is news to listeners.
		if (this.#told.areMembersKnown)
			onTell({ topic, ...NOTHING, ...this.#told, version: { epoch, n: 1 }, areMembersKnown: false }, undefined);
		const version = { epoch, n: 2 };
		this.#isRevealing = false;
		this.#startOver();
		this.#sending(now, version);
		const joined = Object.freeze(this.#members.all());
		onTell({ topic, ...NOTHING, joined, version, ...now }, () => this.#encode(version, NOTHING));
	}

	#sending(told: ToldState, version: PresenceVersion): void {
		this.#told = told;
		this.#version = version;
		this.#lastAt = performance.now();
	}
}

const NOTHING = { joined: Object.freeze([]), left: Object.freeze([]), updated: Object.freeze([]) };
