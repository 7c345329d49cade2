import type { PresenceMember, PresenceNotice, PresenceVersion, WatchAnswer } from '@orijs/websocket/protocol';

export interface MemberViewOptions {
	readonly onAppear: (key: string) => void;
	readonly onVanish: (key: string) => void;
	/** Called with what must not be told: a change that the client was told before, or a wrong count. */
	readonly onWrong: (kind: 'doubled' | 'count', what: string) => void;
}

/** What became of a notice. `again`: it does not follow, so the client has to watch again. */
export type Applied = 'applied' | 'ignored' | 'again';

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
	/** The keys that were there before the pages that are being read. */
	#before: ReadonlySet<string> = new Set();

	constructor(options: MemberViewOptions) {
		this.#options = options;
	}

	/** Takes the answer to `@watch`. Returns the key after which to ask for the next page; undefined if there is none. */
	answer({ version, count, members, hasMore, isStale }: WatchAnswer, after?: string): string | undefined {
		this.isStale = isStale === true;
		if (after === undefined) {
			this.version = version;
			if (this.isComplete) this.#before = new Set(this.members?.keys());
			this.members = members === undefined ? undefined : new Map();
			this.isComplete = false;
		}
		this.count = count;
		const last = hasMore === true ? members?.at(-1)?.key : undefined;
		if (this.members !== undefined) {
			if (this.version === undefined || isNewer(version, this.version)) this.version = version;
			// The page says all there is to say of its range.
			for (const key of this.members.keys()) {
				if ((after === undefined || isAfter(key, after)) && (last === undefined || !isAfter(key, last)))
					this.members.delete(key);
			}
			for (const member of members ?? []) this.members.set(member.key, member);
		}
		if (last !== undefined) return last;
		this.#complete();
		return undefined;
	}

	notice({ version, previous, count, joined, left, updated, isCountOnly, isStale }: PresenceNotice): Applied {
		const mine = this.version;
		if (mine === undefined) return 'ignored';
		const hasChanges = joined !== undefined || left !== undefined || updated !== undefined;
		if (version.epoch === mine.epoch && version.n <= mine.n) {
			if (version.n === mine.n) this.isStale = isStale === true;
			return 'ignored';
		}
		if (previous.epoch !== mine.epoch || previous.n > mine.n) return 'again';
		const isNext = previous.n === mine.n;
		this.version = version;
		this.count = count;
		this.isStale = isStale === true;
		if (isCountOnly === true) {
			for (const key of this.members?.keys() ?? []) this.#options.onVanish(key);
			this.members = undefined;
			return 'applied';
		}
		if (this.members === undefined) return hasChanges ? 'again' : 'applied';
		this.#apply(this.members, { joined, left, updated }, isNext && this.isComplete);
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
		const { onAppear, onVanish, onWrong } = this.#options;
		for (const member of joined) {
			if (isExact && members.has(member.key)) onWrong('doubled', `${member.key} joined, who was there`);
			if (this.isComplete && !members.has(member.key)) onAppear(member.key);
			members.set(member.key, member);
		}
		for (const key of left) {
			if (isExact && !members.has(key)) onWrong('doubled', `${key} left, who was not there`);
			if (this.isComplete && members.has(key)) onVanish(key);
			members.delete(key);
		}
		for (const member of updated) {
			const known = members.get(member.key);
			if (isExact && (known === undefined || Bun.deepEquals(known, member)))
				onWrong('doubled', `${member.key} was updated, ${known === undefined ? 'who was not there' : 'to what it was'}`);
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

function isNewer(one: PresenceVersion, other: PresenceVersion): boolean {
	return one.epoch !== other.epoch || one.n > other.n;
}

/** By their bytes in UTF-8. */
function isAfter(key: string, other: string): boolean {
	return Buffer.compare(Buffer.from(key), Buffer.from(other)) > 0;
}
