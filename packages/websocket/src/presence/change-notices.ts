import { encodePresenceNotice, type PresenceMember, type PresenceVersion } from '../protocol/presence.ts';
import { DONE } from '../support/promises.ts';
import { randomEpoch } from '../history/history-store.ts';
import type { MemberView } from './member-view.ts';
import type { PresenceChange } from './presence-contract.ts';
import { isSame, type ShownMember } from './stored-members.ts';

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
	 * Called with what has changed, and with a function that encodes it as a frame for clients; undefined if there is
	 * nothing to tell to listeners, or to clients.
	 */
	readonly onTell: (change: PresenceChange | undefined, frame: (() => string) | undefined) => void;
}

/** The net effect since the last notice. */
interface Changes {
	readonly joined: PresenceMember[];
	readonly left: PresenceMember[];
	readonly updated: PresenceMember[];
	/** Members that are as they were, although a snapshot has shown them otherwise. */
	readonly again: PresenceMember[];
	/** The keys of members that were not there and are not, although a snapshot has shown them. */
	readonly gone: string[];
}

/** The least time between two notices of a topic, in milliseconds. */
export const NOTICE_EVERY_MS = 250;

/**
 * Tells what has changed in a topic: the first change at once, with all of the same turn; from then on, at most every
 * {@link NOTICE_EVERY_MS} the net effect since the last notice. The version that it tells is this node's own: it grows
 * with each notice, and has another epoch if what is known to clients must be asked for again.
 */
export class ChangeNotices {
	readonly #options: ChangeNoticesOptions;
	/** Members that have changed since the last notice, as they were then. */
	#changed = new Map<string, ShownMember | undefined>();
	/** Of them, those that a snapshot has shown since then: how they are now must be told, even if it is as before. */
	#exposed = new Map<string, ShownMember | undefined>();
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

	/** The version that the next notice follows. */
	get version(): PresenceVersion {
		return this.#version;
	}

	/** Called when a member is no longer as it was shown. */
	changed(key: string, before: ShownMember | undefined): void {
		if (!this.#changed.has(key) && !this.#exposed.has(key)) this.#changed.set(key, before);
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

	/** Called when the members as they are now are handed out together with `version`. */
	exposed(): void {
		if (this.#changed.size === 0) return;
		for (const [key, before] of this.#changed) this.#exposed.set(key, before);
		this.#changed.clear();
	}

	/** Resolves once all that has changed until now is told. */
	told(): Promise<void> {
		if (!this.#isDue && this.#timer === undefined) return DONE;
		return new Promise((resolve) => this.#waiting.push(resolve));
	}

	/** Called when what is known now is where notices start from. */
	started(): void {
		this.#forget();
		this.#told = this.#options.state();
	}

	/** Called when members are not known any longer. */
	concealed(): void {
		this.#forget();
		this.touched();
	}

	/** Called when members have become known that were not. */
	revealed(): void {
		this.#forget();
		this.#isRevealing = true;
		this.touched();
	}

	#forget(): void {
		this.#changed.clear();
		this.#exposed.clear();
		this.#isRevealing = false;
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
		if (!this.#isClosed) this.#tell();
		this.#resume();
	}

	#tell(): void {
		const now = this.#options.state();
		if (this.#isRevealing) this.#reveal(now);
		else this.#tellChanges(now);
	}

	#tellChanges(now: ToldState): void {
		const { topic, onTell } = this.#options;
		const told = this.#told;
		const { joined, left, updated, again, gone } = this.#changes();
		this.#forget();
		const isChange =
			joined.length + left.length + updated.length > 0 ||
			now.count !== told.count ||
			now.areMembersKnown !== told.areMembersKnown ||
			now.isStale !== told.isStale;
		if (!isChange && again.length + gone.length === 0) return;
		const previous = this.#version;
		const version = { epoch: previous.epoch, n: previous.n + 1 };
		this.#telling(now, version);
		onTell(isChange ? { topic, joined, left, updated, version, ...now } : undefined, () =>
			encodePresenceNotice({
				topic,
				version,
				previous,
				count: now.count,
				joined: orNone(joined),
				left: orNone([...left.map(({ key }) => key), ...gone]),
				updated: orNone([...updated, ...again]),
				isCountOnly: now.areMembersKnown ? undefined : true,
				isStale: now.isStale ? true : undefined,
			}),
		);
	}

	/** Tells that members are known again. Clients ask for them, because this follows nothing that they know. */
	#reveal(now: ToldState): void {
		const { topic, view, onTell } = this.#options;
		const { count, isStale, areMembersKnown } = this.#told;
		const epoch = randomEpoch();
		const nothing = { topic, joined: [], left: [], updated: [] };
		// Listeners must forget whom they know, which they have not been told yet.
		if (areMembersKnown)
			onTell({ ...nothing, version: { epoch, n: 1 }, count, isStale, areMembersKnown: false }, undefined);
		const version = { epoch, n: 2 };
		this.#forget();
		this.#telling(now, version);
		onTell({ ...nothing, joined: view.all(), version, ...now }, () =>
			encodePresenceNotice({
				topic,
				version,
				previous: version,
				count: now.count,
				isStale: now.isStale ? true : undefined,
			}),
		);
	}

	#telling(told: ToldState, version: PresenceVersion): void {
		this.#told = told;
		this.#version = version;
		this.#lastAt = performance.now();
	}

	#changes(): Changes {
		const changes: Changes = { joined: [], left: [], updated: [], again: [], gone: [] };
		for (const [key, before] of this.#changed) this.#compare(key, before, changes, false);
		for (const [key, before] of this.#exposed) this.#compare(key, before, changes, true);
		return changes;
	}

	#compare(key: string, before: ShownMember | undefined, to: Changes, isExposed: boolean): void {
		const now = this.#options.view.get(key);
		if (before === undefined) {
			if (now !== undefined) to.joined.push(now.member);
			else if (isExposed) to.gone.push(key);
		} else if (now === undefined) to.left.push(before.member);
		else if (!isSame(before, now)) to.updated.push(now.member);
		else if (isExposed) to.again.push(now.member);
	}
}

function orNone<T>(list: readonly T[]): readonly T[] | undefined {
	return list.length === 0 ? undefined : list;
}
