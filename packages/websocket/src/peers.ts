import type { Beat, Sender } from './frame.ts';

/** A node that misses this many of its own beats has fallen silent. */
const SILENT_AFTER_BEATS = 4;
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
}

/** The other nodes, as far as their beats tell. */
export class Peers {
	/** By origin and lane. */
	readonly #links = new Map<number, Link[]>();

	/** How many other nodes are there. */
	get count(): number {
		let count = 0;
		for (const links of this.#links.values()) if (links.some((link) => link !== undefined && !link.silent)) count++;
		return count;
	}

	/** Whether a frame was sent by a connection that has failed since: what it says is known to be lost already. */
	isLate({ origin, lane, incarnation }: Sender): boolean {
		const link = this.#links.get(origin)?.[lane];
		if (link === undefined || incarnation === link.incarnation) return false;
		if (incarnation < link.incarnation) return true;
		link.incarnation = incarnation;
		return false;
	}

	/**
	 * Takes note of a beat that is not late. Returns since when beats of that node, and so perhaps its messages, were not heard, in
	 * milliseconds since the epoch; undefined when none are missing.
	 */
	heard({ origin, lane, incarnation, number, intervalMs }: Beat, now: number): number | undefined {
		if (intervalMs === 0) {
			this.#links.delete(origin);
			return undefined;
		}
		let links = this.#links.get(origin);
		if (links === undefined) this.#links.set(origin, (links = []));
		const link = links[lane];
		if (link === undefined) {
			links[lane] = { incarnation, number, heardAt: now, intervalMs, silent: false };
			return undefined;
		}
		const missing = link.number !== undefined && number > link.number + 1 ? link.heardAt : undefined;
		link.number = number;
		link.heardAt = now;
		link.intervalMs = intervalMs;
		link.silent = false;
		return missing;
	}

	/** This node did not listen for a while: what beats it missed says nothing new. */
	rebase(): void {
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
