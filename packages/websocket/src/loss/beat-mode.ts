/** By default, beats are collected above this number of nodes. */
export const DEFAULT_COLLECT_ABOVE = 32;
/** How long the number of nodes must be low before beats are no longer collected, in milliseconds. */
const LOW_FOR_MS = 10_000;
/** For how long the number of nodes that the backend has listed counts, in milliseconds: until beats of all arrive. */
const LISTED_MS = 15_000;

/**
 * Decides whether this node's beats are collected by the backend, so that the others learn of them from digests, or go
 * to all nodes by themselves.
 */
export class BeatMode {
	readonly #above: number;
	#isCollected = false;
	#lowSince: number | undefined;
	#listed = { count: 0, at: -Infinity };

	/** @param above the number of nodes above which beats are collected */
	constructor(above: number) {
		this.#above = above;
	}

	get isCollected(): boolean {
		return this.#isCollected;
	}

	/** Called when the backend has told how many nodes there are, this one included. */
	listed(count: number, now: number): void {
		this.#listed = { count, at: now };
		this.update(count, now);
	}

	/**
	 * Called often. @param count the number of nodes whose beats arrive, this one included
	 */
	update(count: number, now: number): void {
		const nodes = now - this.#listed.at <= LISTED_MS ? Math.max(count, this.#listed.count) : count;
		if (nodes > this.#above) {
			this.#isCollected = true;
			this.#lowSince = undefined;
		} else if (!this.#isCollected || nodes > Math.floor((this.#above * 3) / 4)) {
			this.#lowSince = undefined;
		} else {
			this.#lowSince ??= now;
			if (now - this.#lowSince >= LOW_FOR_MS) this.#isCollected = false;
		}
	}
}
