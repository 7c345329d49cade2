import type { PresenceMember, PresenceNotice, PresenceVersion, WatchAnswer } from '@orijs/websocket/protocol';

export interface MemberViewOptions {
	readonly onAppear: (key: string) => void;
	readonly onVanish: (key: string) => void;
	/** Called for what changes nothing for this client, but may for another one that gets the same frame. */
	readonly onRepeated: () => void;
	/** Called with what must not be told: a change that the client was told before, or a wrong count. */
	readonly onWrong: (kind: 'doubled' | 'count', what: string) => void;
}

/** What became of a notice. `again`: it does not follow, so the client has to watch again. */
export type Applied = 'applied' | 'ignored' | 'again';

/** What to ask for: the page after a key, or all again. */
export interface Next {
	readonly after?: string;
}

/** The members of a topic as a client knows them, by the rule that the protocol gives clients. */
export class MemberView {
	version: PresenceVersion | undefined;
	count = 0;
	/** Undefined if only the count is known. */
	members: Map<string, PresenceMember> | undefined = new Map();
	isStale = false;
	/** Whether all pages have come. */
	isComplete = false;
	readonly #options: MemberViewOptions;
	/** Whether an answer has come after the last change. */
	#isFresh = false;
	/** The keys that were there before the pages that are being read. */
	#before: ReadonlySet<string> = new Set();

	constructor(options: MemberViewOptions) {
		this.#options = options;
	}

	/** Takes the answer to `@watch`. Returns what to ask for next: a page, or all again; undefined if that was all. */
	answer({ version, count, members, hasMore, isStale }: WatchAnswer, after?: string): Next | undefined {
		const mine = this.version;
		if (after !== undefined && (members === undefined || version.epoch !== mine?.epoch || version.n < mine.n))
			return {};
		this.isStale = isStale === true;
		if (after === undefined) {
			this.version = version;
			if (this.isComplete) this.#before = new Set(this.members?.keys());
			this.members = members === undefined ? undefined : new Map();
			this.isComplete = false;
		}
		this.count = count;
		this.#isFresh = true;
		const last = hasMore === true ? members?.at(-1)?.key : undefined;
		if (this.members !== undefined) {
			// The page is complete for its range.
			for (const key of this.members.keys()) {
				if ((after === undefined || isAfter(key, after)) && (last === undefined || !isAfter(key, last)))
					this.members.delete(key);
			}
			for (const member of members ?? []) this.members.set(member.key, member);
		}
		if (last !== undefined) return { after: last };
		this.#complete();
		return undefined;
	}

	notice({ version, previous, count, joined, left, updated, isCountOnly, isStale }: PresenceNotice): Applied {
		const mine = this.version;
		if (mine === undefined) return 'ignored';
		if (version.epoch === mine.epoch && version.n < mine.n) return 'ignored';
		if (previous.epoch !== mine.epoch || previous.n > mine.n) return 'again';
		// The first change after an answer may tell once more what was in the answer.
		const isExact = !this.#isFresh && this.isComplete && previous.n === mine.n;
		this.#isFresh = false;
		this.version = version;
		this.count = count;
		this.isStale = isStale === true;
		if (isCountOnly === true) {
			for (const key of this.members?.keys() ?? []) this.#options.onVanish(key);
			this.members = undefined;
			return 'applied';
		}
		if (this.members === undefined) return 'again';
		this.#apply(this.members, { joined, left, updated }, isExact);
		this.#check();
		return 'applied';
	}

	/** Forgets everything: the connection has ended. */
	end(): void {
		for (const key of this.isComplete ? (this.members?.keys() ?? []) : this.#before) this.#options.onVanish(key);
	}

	#apply(
		members: Map<string, PresenceMember>,
		{ joined = [], left = [], updated = [] }: Pick<PresenceNotice, 'joined' | 'left' | 'updated'>,
		isExact: boolean,
	): void {
		const { onAppear, onVanish, onWrong, onRepeated } = this.#options;
		for (const member of joined) {
			if (isExact && members.has(member.key)) onWrong('doubled', `${member.key} joined, who was there`);
			if (this.isComplete && !members.has(member.key)) onAppear(member.key);
			members.set(member.key, member);
		}
		for (const key of left) {
			// One who came and left within a moment, in which another client of the node has begun to watch.
			if (isExact && !members.has(key)) onRepeated();
			if (this.isComplete && members.has(key)) onVanish(key);
			members.delete(key);
		}
		for (const member of updated) {
			const known = members.get(member.key);
			if (isExact && known === undefined) onWrong('doubled', `${member.key} was updated, who was not there`);
			else if (isExact && Bun.deepEquals(known, member)) onRepeated();
			if (this.isComplete && known === undefined) onAppear(member.key);
			members.set(member.key, member);
		}
	}

	#complete(): void {
		this.isComplete = true;
		const now = new Set(this.members?.keys());
		for (const key of this.#before) if (!now.has(key)) this.#options.onVanish(key);
		for (const key of now) if (!this.#before.has(key)) this.#options.onAppear(key);
		this.#before = new Set();
		this.#check();
	}

	#check(): void {
		if (!this.isComplete || this.members === undefined || this.members.size === this.count) return;
		this.#options.onWrong('count', `a count of ${this.count} for ${this.members.size} members`);
	}
}

/** By their bytes in UTF-8. */
function isAfter(key: string, other: string): boolean {
	return Buffer.compare(Buffer.from(key), Buffer.from(other)) > 0;
}
