import type { Member } from './own-member.ts';

/** How long removals are remembered, in milliseconds: longer than it takes to notice that a server has lost them. */
const KEPT_MS = 30_000;
/** The most removals that are remembered; beyond that, the oldest are forgotten. */
const MOST = 20_000;

/**
 * Remembers whose records were removed lately. A server that takes the place of another one may not know it,
 * and would keep them for as long as this node's lease lasts.
 */
export class RemovedLately {
	readonly #members = new Map<Member, number>();

	add(member: Member): void {
		const now = performance.now();
		this.#members.delete(member);
		this.#members.set(member, now);
		for (const [oldest, at] of this.#members) {
			if (at > now - KEPT_MS && this.#members.size <= MOST) break;
			this.#members.delete(oldest);
		}
	}

	/** Returns those that were removed from the affected topics, and forgets them. */
	take(isAffected: (topic: string) => boolean): Member[] {
		const since = performance.now() - KEPT_MS;
		const taken: Member[] = [];
		for (const [member, at] of this.#members) {
			if (at > since && !isAffected(member.topic.name)) continue;
			this.#members.delete(member);
			if (at > since) taken.push(member);
		}
		return taken;
	}
}
