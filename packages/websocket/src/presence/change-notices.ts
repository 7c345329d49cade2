import { randomEpoch } from '../history/history-store.ts';
import { encodePresenceNotice, type PresenceMember, type PresenceVersion } from '../protocol/presence.ts';
import { DONE } from '../support/promises.ts';
import type { MemberView } from './member-view.ts';
import type { PresenceChange, WatchedMembers } from './presence-contract.ts';
import { isSame } from './stored-members.ts';
import { ToldMembers } from './told-members.ts';

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
	 * nothing to tell to clients.
	 */
	readonly onTell: (change: PresenceChange, frame: (() => string) | undefined) => void;
}

/** The least time between two notices of a topic, in milliseconds. */
const NOTICE_EVERY_MS = 250;

/**
 * Tells what has changed in a topic: the first change at once, with all of the same turn; from then on, at most every
 * {@link NOTICE_EVERY_MS} the net effect since the last notice. The version that it tells is this node's own: it grows
 * with each notice, and has another epoch if clients must ask for the members again.
 */
export class ChangeNotices {
	readonly #options: ChangeNoticesOptions;
	/** The members that may have changed since the last notice. */
	readonly #changed = new Set<string>();
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
				if (before !== undefined) left.push(before.member);
			} else if (before === undefined) joined.push(shown.member);
			else if (!isSame(before, shown)) updated.push(shown.member);
		}
		this.#changed.clear();
		const areAny = joined.length + left.length + updated.length > 0;
		if (areAny || this.#isOther(now)) this.#send({ joined, left, updated }, now);
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

	#send({ joined, left, updated }: Pick<PresenceChange, 'joined' | 'left' | 'updated'>, now: ToldState): void {
		const { topic, onTell } = this.#options;
		const previous = this.#version;
		const version = { epoch: previous.epoch, n: previous.n + 1 };
		this.#sending(now, version);
		onTell({ topic, joined, left, updated, version, ...now }, () =>
			encodePresenceNotice({
				topic,
				version,
				previous,
				count: now.count,
				joined: orNone(joined),
				left: orNone(left.map(({ key }) => key)),
				updated: orNone(updated),
				isCountOnly: now.areMembersKnown ? undefined : true,
				isStale: now.isStale ? true : undefined,
			}),
		);
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
		onTell({ topic, ...NOTHING, joined: this.#members.all(), version, ...now }, () =>
			encodePresenceNotice({
				topic,
				version,
				previous: version,
				count: now.count,
				isStale: now.isStale ? true : undefined,
			}),
		);
	}

	#sending(told: ToldState, version: PresenceVersion): void {
		this.#told = told;
		this.#version = version;
		this.#lastAt = performance.now();
	}
}

const NOTHING = { joined: [], left: [], updated: [] };

function orNone<T>(list: readonly T[]): readonly T[] | undefined {
	return list.length === 0 ? undefined : list;
}
