import type { PresenceMember, PresenceVersion } from '../protocol/presence.ts';
import type { PresenceContent } from '../wire/presence-frame.ts';
import type { PresenceState, StoredMember } from './presence-store.ts';

/** What the backend says of a member. */
export interface StoredEntry {
	readonly connections: number;
	readonly since: number;
	readonly info: string | undefined;
	/**
	 * Whether it is certain that no other node has a record of the member. Then, it is this node that knows best whether
	 * the member is there.
	 */
	isOnlyHere: boolean;
}

/** What became of a change: it followed, was known, did not follow, or named no members. */
export type Applied = 'applied' | 'known' | 'missed' | 'unnamed';

/** A topic's members as the backend has them, at one version. */
export class StoredMembers {
	readonly #nodeId: string;
	readonly #entries = new Map<string, StoredEntry>();
	/** Undefined if the topic had no members, and had none lately. */
	version: PresenceVersion | undefined;
	/** Of all members, whether they are here or not. */
	count = 0;
	/** The version that `count` is of, if that is a later one. */
	#countedAt: PresenceVersion | undefined;

	constructor(nodeId: string) {
		this.#nodeId = nodeId;
	}

	get(key: string): StoredEntry | undefined {
		return this.#entries.get(key);
	}

	keys(): Iterable<string> {
		return this.#entries.keys();
	}

	/** Starts from what was read. */
	reset(members: readonly StoredMember[], version: PresenceVersion | undefined, count: number): void {
		this.#entries.clear();
		this.#arriveAt(version, count);
		for (const { key, connections, since, info, nodes } of members) {
			const isOnlyHere = nodes.every(({ nodeId }) => nodeId === this.#nodeId);
			this.#entries.set(key, { connections, since, info, isOnlyHere });
		}
	}

	/** Called with the count of a version whose changes may not have come yet. */
	counted({ version, count }: PresenceState): void {
		if (!isLater(version, this.version) || !isLater(version, this.#countedAt)) return;
		this.#countedAt = version;
		this.count = count;
	}

	/** Called when it has the changes until `version`. */
	#arriveAt(version: PresenceVersion | undefined, count: number): void {
		this.version = version;
		if (version !== undefined && isLater(this.#countedAt, version)) return;
		this.#countedAt = undefined;
		this.count = count;
	}

	/** Applies a change, if it follows. @param isOwn whether it is this node's */
	apply(content: PresenceContent, isOwn: boolean): Applied {
		const { epoch, n, count, changes } = content;
		if (this.version !== undefined && epoch === this.version.epoch && n <= this.version.n) return 'known';
		const follows = this.version === undefined ? n === 1 : epoch === this.version.epoch && n === this.version.n + 1;
		if (!follows) return 'missed';
		this.#arriveAt({ epoch, n }, count);
		if (changes === undefined) return 'unnamed';
		for (const { kind, key, connections, since, info } of changes) {
			if (kind === 'left') this.#entries.delete(key);
			else {
				const isOnlyHere = isOwn && (kind === 'joined' || this.#entries.get(key)?.isOnlyHere === true);
				this.#entries.set(key, { connections, since, info, isOnlyHere });
			}
		}
		return 'applied';
	}
}

/** Returns whether a version is known to follow another one. */
function isLater(version: PresenceVersion | undefined, than: PresenceVersion | undefined): boolean {
	if (version === undefined || than === undefined) return version !== undefined;
	return version.epoch === than.epoch && version.n > than.n;
}

/** A member as it is shown, with its info as JSON as well. */
export interface ShownMember {
	readonly member: PresenceMember;
	readonly info: string | undefined;
}

/** The largest difference in time that says nothing, in milliseconds: a node reckons otherwise than the backend. */
const SAME_TIME_MS = 1_000;

/** Returns whether two members are the same to those who watch. */
export function isSame(a: ShownMember, b: ShownMember): boolean {
	return (
		a.member.connections === b.member.connections &&
		a.info === b.info &&
		Math.abs(a.member.since - b.member.since) <= SAME_TIME_MS
	);
}

const USER_PREFIX = 'user:';

/** Several listeners are given the same member, so it can't be changed. @param info a JSON object */
export function shownMember(key: string, connections: number, since: number, info: string | undefined): ShownMember {
	const parsed = info === undefined ? undefined : readInfo(info);
	const member: PresenceMember = {
		key,
		...(key.startsWith(USER_PREFIX) && { userId: key.slice(USER_PREFIX.length) }),
		...(parsed !== undefined && { info: parsed }),
		connections,
		since,
	};
	return { member: Object.freeze(member), info };
}

/** Reads what a node has stored; what is no object counts as nothing. */
function readInfo(text: string): PresenceMember['info'] {
	try {
		const info: unknown = JSON.parse(text);
		freeze(info);
		return typeof info === 'object' && info !== null && !Array.isArray(info)
			? (info as PresenceMember['info'])
			: undefined;
	} catch {
		return undefined;
	}
}

/** Freezes a parsed value and everything in it. */
function freeze(value: unknown): void {
	if (typeof value !== 'object' || value === null) return;
	Object.freeze(value);
	for (const inner of Object.values(value)) freeze(inner);
}
