import type { PresenceMember } from '../protocol/presence.ts';
import { SortedKeys } from './sorted-keys.ts';
import type { ShownMember } from './stored-members.ts';

/** The most members on a page for a client. */
export const PAGE_MEMBERS = 100;

/** About how many characters a member takes, apart from its key and its info. */
const MEMBER_SIZE = 100;

/** Returns about how many characters a member takes as JSON. @param shown undefined if only its key is told */
export function sizeOf(key: string, shown: ShownMember | undefined): number {
	return shown === undefined ? key.length : MEMBER_SIZE + key.length + (shown.info?.length ?? 0);
}

export interface MembersPage {
	readonly members: readonly PresenceMember[];
	/** Whether there are more members after these. */
	readonly hasMore: boolean;
}

/** A topic's members as watchers know them, in order. */
export class ToldMembers {
	readonly #all = new Map<string, ShownMember>();
	readonly #keys = new SortedKeys(() => this.#all.keys());

	get(key: string): ShownMember | undefined {
		return this.#all.get(key);
	}

	/** @param member undefined if it has left */
	set(key: string, member: ShownMember | undefined): void {
		if (member === undefined) {
			if (this.#all.delete(key)) this.#keys.removed(key);
		} else {
			const isNew = !this.#all.has(key);
			this.#all.set(key, member);
			if (isNew) this.#keys.added(key);
		}
	}

	all(): PresenceMember[] {
		return Array.from(this.#all.values(), ({ member }) => member);
	}

	/** Returns about how many characters all members take as JSON. */
	size(): number {
		let size = 0;
		for (const [key, shown] of this.#all) size += sizeOf(key, shown);
		return size;
	}

	/**
	 * Returns the first members after a key, at most `limit`, and no more once their size is `characters`, but at least
	 * one.
	 */
	page(after: string | undefined, limit: number, characters: number = Infinity): MembersPage {
		const members: PresenceMember[] = [];
		let left = characters;
		for (const key of this.#keys.page(after, limit + 1)) {
			const told = this.#all.get(key);
			if (told === undefined) continue;
			left -= sizeOf(key, told);
			if (members.length === limit || (left < 0 && members.length > 0)) return { members, hasMore: true };
			members.push(told.member);
		}
		return { members, hasMore: false };
	}
}
