import type { Beat, Sender } from '../wire/frame.ts';

/** A node that misses this many of its own beats has fallen silent. */
const SILENT_AFTER_BEATS = 4;
/** A beat that is late by this much of its interval is overdue. */
const OVERDUE_AFTER_BEATS = 1.5;
/** A silent node is forgotten after this long, in milliseconds. */
const FORGET_AFTER_MS = 600_000;

/** What is known of one node by one of its connections. */
interface Link {
	incarnation: number;
	/** The last beat heard; undefined when the next one is the first that counts. */
	number: number | undefined;
	/** When that was, by this node's clock, in milliseconds since the epoch. */
	heardAt: number;
	intervalMs: number;
	silent: boolean;
	/** Silent, and that has been looked into. */
	dismissed: boolean;
}

/** The other nodes, as far as their beats tell. */
export class PeerBeats {
	/** By origin and shard. */
	readonly #links = new Map<number, Link[]>();

	/** Milliseconds since the epoch. */
	#listeningSince = 0;

	/** How many other nodes are there. */
	get count(): number {
		let count = 0;
		for (const links of this.#links.values()) if (links.some((link) => link !== undefined && !link.silent)) count++;
		return count;
	}

	/** Whether a frame was sent by a connection that has failed since: what it says is known to be lost already. */
	isLate({ origin, shard, incarnation }: Sender): boolean {
		const link = this.#links.get(origin)?.[shard];
		if (link === undefined || incarnation === link.incarnation) return false;
		if (incarnation < link.incarnation) return true;
		link.incarnation = incarnation;
		return false;
	}

	/**
	 * Takes note of a beat that is not late. Returns since when beats of that node, and so perhaps its messages, were not heard, in
	 * milliseconds since the epoch; undefined when none are missing.
	 */
	heard({ origin, shard, incarnation, number, intervalMs }: Beat, now: number): number | undefined {
		if (intervalMs === 0) {
			this.#links.delete(origin);
			return undefined;
		}
		let links = this.#links.get(origin);
		if (links === undefined) this.#links.set(origin, (links = []));
		const link = links[shard];
		if (link === undefined) {
			links[shard] = { incarnation, number, heardAt: now, intervalMs, silent: false, dismissed: false };
			return this.#unheardBefore(number, intervalMs, now);
		}
		const missing = link.number !== undefined && number > link.number + 1 ? link.heardAt : undefined;
		link.number = number;
		link.heardAt = now;
		link.intervalMs = intervalMs;
		link.silent = false;
		link.dismissed = false;
		return missing;
	}

	/** A node that is heard for the first time, and not with its first beat, should have been heard before. */
	#unheardBefore(number: number, intervalMs: number, now: number): number | undefined {
		if (number <= 1 || now - this.#listeningSince <= OVERDUE_AFTER_BEATS * intervalMs) return undefined;
		return Math.max(this.#listeningSince, now - number * intervalMs);
	}

	/** Since when a node was not heard whose beat is overdue, in milliseconds since the epoch; undefined when all are on time. */
	unheardSince(now: number): number | undefined {
		let since: number | undefined;
		for (const links of this.#links.values()) {
			for (const link of links) {
				if (link === undefined || link.dismissed || now - link.heardAt <= OVERDUE_AFTER_BEATS * link.intervalMs)
					continue;
				since = Math.min(since ?? link.heardAt, link.heardAt);
			}
		}
		return since;
	}

	/** Nodes that are silent are so for a reason of their own: this one is where it belongs. */
	dismissSilent(): void {
		for (const links of this.#links.values()) for (const link of links) if (link?.silent) link.dismissed = true;
	}

	/** This node listens from now on: what beats it missed before says nothing new. */
	rebase(now: number): void {
		this.#listeningSince = now;
		for (const links of this.#links.values()) for (const link of links) if (link !== undefined) link.number = undefined;
	}

	/** Whether a node fell silent since the last call. */
	newlySilent(now: number): boolean {
		let found = false;
		for (const [origin, links] of this.#links) {
			for (const link of links) {
				if (link === undefined || now - link.heardAt <= SILENT_AFTER_BEATS * link.intervalMs) continue;
				if (now - link.heardAt > FORGET_AFTER_MS) this.#links.delete(origin);
				else if (!link.silent) link.silent = found = true;
			}
		}
		return found;
	}
}
