import type { PresenceMember, PresenceNotice, PresenceVersion, WatchAnswer } from '@orijs/websocket/protocol';
import { type MembersChange, type PresenceState, UNKNOWN } from './presence.ts';

type ByKey = Map<string, PresenceMember>;
type Difference = Pick<MembersChange, 'joined' | 'left' | 'updated'>;

export const NO_DIFFERENCE: Difference = { joined: [], left: [], updated: [] };

/**
 * Follows the members of a topic: takes the pages that answer `@watch`, and the changes after the first of them. What
 * was known before remains until the last page is there; only the difference is told.
 */
export class Members {
	state: PresenceState = UNKNOWN;
	readonly #changed: (change: MembersChange) => void;
	#all: ByKey = new Map();
	/** The version up to which changes are known; undefined until the first page is there. */
	#version: PresenceVersion | undefined;
	/** What the pages have brought so far, and changes since; undefined once the last one is there. */
	#read: ByKey | undefined;
	/** What has come last: it has the count. */
	#last: Pick<WatchAnswer, 'count' | 'isStale'> | undefined;
	/** The changes that have come before the first page was looked at: some implementations are that fast. */
	#early: PresenceNotice[] = [];

	/** @param changed called after each change of the state */
	constructor(changed: (change: MembersChange) => void) {
		this.#changed = changed;
	}

	/** Whether everything is known, and changes are followed. */
	get isCurrent(): boolean {
		return !!this.#version && !this.#read;
	}

	/** Must be called before the first page is requested. */
	forget(): void {
		this.#version = this.#read = undefined;
		this.#early = [];
	}

	/** Called when changes are no longer told. */
	lost(): void {
		this.forget();
		// Nothing is told before anything is known.
		if (!this.state.isStale) this.#become({ ...this.state, isStale: true });
	}

	/**
	 * Takes a page. Returns the key after which the next one begins; undefined if this is the last one; '' if everything
	 * must be read again.
	 *
	 * @param after the key after which it begins; '' or undefined for the first page
	 */
	page(answer: WatchAnswer, after: string | undefined): string | undefined {
		const { version, members, hasMore } = answer;
		if (!after) {
			this.#version = version;
			this.#read = members && new Map();
		} else if (!members || !this.#follows(version)) {
			this.forget();
			return '';
		}
		const read = this.#read;
		this.#last = answer;
		for (const member of members ?? []) read?.set(member.key, member);
		// Apart from those that were on the way before the page.
		const early = this.#early.filter(({ version: { epoch, n } }) => epoch !== version.epoch || n > version.n);
		this.#early = [];
		if (!early.every((notice) => this.notice(notice))) return '';
		const last = hasMore && members?.[members.length - 1];
		if (last) return last.key;
		this.#read = undefined;
		this.#know(read && [...read.values()], read && [...this.#all.keys()].filter((key) => !read.has(key)));
		return undefined;
	}

	/** A further page must be of the state that is known, or of a later one, which changes will lead to. */
	#follows({ epoch, n }: PresenceVersion): boolean {
		return this.#version?.epoch === epoch && n >= this.#version.n;
	}

	/** Takes a change. Returns false if it does not follow what is known: everything must then be read again. */
	notice(notice: PresenceNotice): boolean {
		const { version, previous, joined = [], updated = [], left = [], isCountOnly } = notice;
		const mine = this.#version;
		if (!mine) return !!this.#early.push(notice);
		if (version.epoch === mine.epoch && version.n < mine.n) return true;
		const isOfMine = previous.epoch === mine.epoch && previous.n <= mine.n;
		if (!isOfMine || (isCountOnly ? this.#read : !this.#read && !this.state.areMembersKnown)) {
			this.forget();
			return false;
		}
		this.#version = version;
		this.#last = notice;
		const present = [...joined, ...updated];
		if (this.#read) apply(this.#read, present, left);
		else this.#know(isCountOnly ? undefined : present, left);
		return true;
	}

	/** @param present undefined if only the count is known */
	#know(present: readonly PresenceMember[] | undefined, gone: readonly string[] = []): void {
		const { count = 0, isStale } = this.#last ?? {};
		if (!present) this.#all = new Map();
		const difference = present && apply(this.#all, present, gone);
		this.#become({ ...this.state, count, isStale: !!isStale, areMembersKnown: !!present }, difference);
	}

	#become(now: PresenceState, difference = NO_DIFFERENCE): void {
		const { joined, left, updated } = difference;
		const before = this.state;
		const isDifferent =
			joined.length + left.length + updated.length > 0 || now.areMembersKnown !== before.areMembersKnown;
		if (!isDifferent && now.count === before.count && now.isStale === before.isStale) return;
		let { members } = before;
		if (isDifferent) {
			const all = [...this.#all.values()];
			all.sort((a, b) => (a.key < b.key ? -1 : 1));
			members = all;
		}
		this.state = { ...now, members };
		this.#changed({ ...this.state, count: now.count as number, ...difference });
	}
}

/** The largest difference in time that says nothing, in milliseconds: a node reckons otherwise than the backend. */
const SAME_TIME_MS = 1_000;

function isSame(before: PresenceMember, now: PresenceMember): boolean {
	const since = Math.abs(before.since - now.since) > SAME_TIME_MS ? now.since : before.since;
	return JSON.stringify(before) === JSON.stringify({ ...now, since });
}

/** Changes what is known, and returns how it differs from before. */
function apply(all: ByKey, present: readonly PresenceMember[], gone: readonly string[]): Difference {
	const joined: PresenceMember[] = [];
	const left: PresenceMember[] = [];
	const updated: PresenceMember[] = [];
	for (const key of gone) {
		const member = all.get(key);
		if (member && all.delete(key)) left.push(member);
	}
	for (const member of present) {
		const before = all.get(member.key);
		if (!before) joined.push(member);
		else if (!isSame(before, member)) updated.push(member);
		all.set(member.key, member);
	}
	return { joined, left, updated };
}
