import type { EncodedChanges } from '../protocol/presence.ts';
import { sizeOf, type ToldMembers } from './told-members.ts';

/** The most that a notice says of members, in bytes of its JSON in UTF-8. */
export const NOTICE_BYTES = 65_536;

/**
 * What clients that watch a topic have not been sent yet of its members, because it was too much for one notice. Who
 * changes again is sent once, as it is then.
 */
export class UntoldChanges {
	/** By key, whether clients know of the member. Those that have waited longest come first. */
	readonly #keys = new Map<string, boolean>();

	get isEmpty(): boolean {
		return this.#keys.size === 0;
	}

	/** @param isKnown whether clients know of the member, if they have been sent everything until now */
	add(key: string, isKnown: boolean): void {
		if (!this.#keys.has(key)) this.#keys.set(key, isKnown);
	}

	clear(): void {
		this.#keys.clear();
	}

	/** Returns by how much clients know more members than there are; negative if fewer. */
	surplus(members: ToldMembers): number {
		let surplus = 0;
		for (const [key, isKnown] of this.#keys) surplus += Number(isKnown) - Number(members.get(key) !== undefined);
		return surplus;
	}

	/** Returns about how many characters it takes to tell everything. */
	size(members: ToldMembers): number {
		let size = 0;
		for (const key of this.#keys.keys()) size += sizeOf(key, members.get(key));
		return size;
	}

	/**
	 * Takes what has waited longest, up to {@link NOTICE_BYTES}. Members that have come and gone while they waited are
	 * among those that have left: clients that began to watch meanwhile may know them.
	 */
	take(members: ToldMembers): EncodedChanges {
		const joined: string[] = [];
		const left: string[] = [];
		const updated: string[] = [];
		let room = NOTICE_BYTES;
		for (const [key, isKnown] of this.#keys) {
			const member = members.get(key)?.member;
			const json = JSON.stringify(member ?? key);
			// With a comma. No member is larger than a notice: keys and infos are limited.
			room -= Buffer.byteLength(json) + 1;
			if (room < 0) break;
			(member === undefined ? left : isKnown ? updated : joined).push(json);
			this.#keys.delete(key);
		}
		return { joined, left, updated };
	}
}
