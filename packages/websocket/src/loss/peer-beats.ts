import type { Beat, Sender } from '../wire/frame.ts';

/** A node that misses this many of its own beats has fallen silent. */
const SILENT_AFTER_BEATS = 4;
/**
 * How far the first beat of an unknown node may lag behind this node's start, in intervals, before beats count as
 * missed.
 */
const OVERDUE_AFTER_BEATS = 1.5;
/** A silent node is forgotten after this long, in milliseconds. */
const FORGET_AFTER_MS = 600_000;

/** What is known of one node on one shard. */
interface Peer {
	incarnation: number;
	/** The last beat received; undefined when the next one is the first that counts. */
	number: number | undefined;
	/** When that beat was received, by the monotonic clock. */
	receivedAt: number;
	intervalMs: number;
	silent: boolean;
}

/** The other nodes, as far as their beats show. */
export class PeerBeats {
	/** By origin and shard. */
	readonly #peers = new Map<number, Peer[]>();

	/** By the monotonic clock. */
	#listeningSince = 0;

	/** The number of other nodes that are not silent. */
	get count(): number {
		let count = 0;
		for (const shards of this.#peers.values()) if (shards.some((peer) => peer !== undefined && !peer.silent)) count++;
		return count;
	}

	/**
	 * Whether a frame was sent over a connection that has failed since: what it carries is already known to be missing.
	 */
	isLate({ origin, shard, incarnation }: Sender): boolean {
		const peer = this.#peers.get(origin)?.[shard];
		if (peer === undefined || incarnation === peer.incarnation) return false;
		if (incarnation < peer.incarnation) return true;
		peer.incarnation = incarnation;
		return false;
	}

	/**
	 * Records a beat that is not late. Returns the time since which beats of that node, and so perhaps its messages,
	 * were missed; undefined if none were.
	 *
	 * @param now like all times here, by the monotonic clock, in milliseconds
	 */
	received({ origin, shard, incarnation, number, intervalMs }: Beat, now: number): number | undefined {
		if (intervalMs === 0) {
			this.#peers.delete(origin);
			return undefined;
		}
		let shards = this.#peers.get(origin);
		if (shards === undefined) this.#peers.set(origin, (shards = []));
		const peer = shards[shard];
		if (peer === undefined) {
			shards[shard] = { incarnation, number, receivedAt: now, intervalMs, silent: false };
			return this.#missedBeforeFirst(number, intervalMs, now);
		}
		const missedSince = peer.number !== undefined && number > peer.number + 1 ? peer.receivedAt : undefined;
		peer.number = number;
		peer.receivedAt = now;
		peer.intervalMs = intervalMs;
		peer.silent = false;
		return missedSince;
	}

	/** A node whose first beat to arrive is not its number one should have been received before. */
	#missedBeforeFirst(number: number, intervalMs: number, now: number): number | undefined {
		if (number <= 1 || now - this.#listeningSince <= OVERDUE_AFTER_BEATS * intervalMs) return undefined;
		return Math.max(this.#listeningSince, now - number * intervalMs);
	}

	/** Counts beats from `now` on: those missed earlier have been accounted for. */
	rebase(now: number): void {
		this.#listeningSince = now;
		for (const shards of this.#peers.values())
			for (const peer of shards) if (peer !== undefined) peer.number = undefined;
	}

	/** Returns whether a node fell silent since the last call. */
	newlySilent(now: number): boolean {
		let found = false;
		for (const [origin, shards] of this.#peers) {
			for (const peer of shards) {
				if (peer === undefined || now - peer.receivedAt <= SILENT_AFTER_BEATS * peer.intervalMs) continue;
				if (now - peer.receivedAt > FORGET_AFTER_MS) this.#peers.delete(origin);
				else if (!peer.silent) peer.silent = found = true;
			}
		}
		return found;
	}
}
