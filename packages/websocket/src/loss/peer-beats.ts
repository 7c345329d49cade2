import type { Beat, Sender } from '../wire/frame.ts';

/** A node whose beats stop for this many of its intervals may be connected to another server. */
const SUSPICIOUS_AFTER_BEATS = 4;
/** How far a beat may lag behind the time at which it is due, in intervals, before beats count as missed. */
const OVERDUE_AFTER_BEATS = 1.5;
/** If the times in two beats differ by so much more than they should, a clock was set, in milliseconds. */
const SMALLEST_STEP_MS = 250;
/** A node that is silent for this long without having said that it stops is given up, in milliseconds. */
const GIVEN_UP_AFTER_MS = 10_000;
/** Connections to a server that are made together are ready within this time, in milliseconds. */
const JUST_NOW_MS = 5_000;
/** A silent node is forgotten after this long, in milliseconds. */
const FORGET_AFTER_MS = 600_000;

/**
 * The moment up to which everything that a node published to a shard has arrived, or has been reported as missing.
 */
export interface Accounted {
	/** By this node's monotonic clock. */
	readonly at: number;
	/** By the clock of that node, in milliseconds since the epoch. */
	readonly sentAt: number;
}

/** What is known of one node on one shard. */
interface Peer {
	incarnation: number;
	/** The number of the last beat received. */
	number: number;
	/** When that beat was received, by the monotonic clock. */
	receivedAt: number;
	intervalMs: number;
	/** Later than the last beat where an interruption of this node's own has been reported since. */
	accounted: Accounted;
	/** The same without what was reported when the node was given up, which says nothing of stored messages. */
	arrived: Accounted;
	suspicious: boolean;
	givenUp: boolean;
}

/** Since when this node listens to a shard, by the monotonic clock. */
interface Listening {
	readonly since: number;
	/** When the interruption before that began. What was published between the two has been reported as missing. */
	readonly interruptedAt: number;
	/** What {@link PeerBeats.arrivedUntil} was before that interruption. */
	readonly arrivedUntil: number;
}

/** The other nodes, as far as their beats show. All times are in milliseconds. */
export class PeerBeats {
	/** By origin and shard. */
	readonly #peers = new Map<number, (Peer | undefined)[]>();
	/** By shard, where this node's subscriptions have been interrupted. */
	readonly #listening = new Map<number, Listening>();
	#startedAt = 0;

	/** The number of other nodes that send beats. */
	get count(): number {
		let count = 0;
		for (const shards of this.#peers.values()) if (shards.some((peer) => peer?.suspicious === false)) count++;
		return count;
	}

	/** This node listens from `now` on, by the monotonic clock. */
	start(now: number): void {
		this.#startedAt = now;
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
	 * Records a beat that is not late. Returns since when beats of that node, and so perhaps its messages, were missed;
	 * undefined if none were.
	 *
	 * @param now by the monotonic clock
	 */
	received(beat: Beat, now: number): Accounted | undefined {
		const { origin, shard, incarnation, number, intervalMs, isLast, sentAt } = beat;
		const peer = this.#peers.get(origin)?.[shard];
		const missedSince = peer === undefined ? this.#missedBeforeFirst(beat, now) : this.#missedSince(peer, beat, now);
		if (isLast) {
			this.#forget(origin, shard);
		} else if (peer === undefined) {
			const beat = { incarnation, number, receivedAt: now, intervalMs, suspicious: false, givenUp: false };
			this.#remember(origin, shard, { ...beat, accounted: { at: now, sentAt }, arrived: { at: now, sentAt } });
		} else {
			peer.number = number;
			peer.receivedAt = now;
			peer.intervalMs = intervalMs;
			peer.accounted = peer.arrived = { at: now, sentAt };
			peer.suspicious = peer.givenUp = false;
		}
		return missedSince;
	}

	#missedSince(peer: Peer, { shard, number, sentAt }: Beat, now: number): Accounted | undefined {
		const { since, interruptedAt } = this.#listeningTo(shard);
		const isFirstAfterInterruption = peer.receivedAt < since && peer.accounted.at >= since;
		// The report of the interruption could not know that the clock of that node had been set.
		const stepMs = sentAt - later(peer.accounted, now).sentAt;
		if (isFirstAfterInterruption && Math.abs(stepMs) > SMALLEST_STEP_MS) {
			const at = Math.min(interruptedAt, peer.receivedAt);
			return { at, sentAt: sentAt - (now - at) };
		}
		if (number <= peer.number + 1) return undefined;
		// The missing ones may be those of an interruption that has been reported.
		if (isFirstAfterInterruption && now - since <= OVERDUE_AFTER_BEATS * peer.intervalMs) return undefined;
		return peer.accounted;
	}

	/** A node whose first beat to arrive is not its number one should have been received before. */
	#missedBeforeFirst({ shard, number, intervalMs, sentAt }: Beat, now: number): Accounted | undefined {
		if (number <= 1) return undefined;
		const { since, interruptedAt } = this.#listeningTo(shard);
		const startedAt = now - number * intervalMs;
		const margin = OVERDUE_AFTER_BEATS * intervalMs;
		if (now - since <= margin && startedAt >= interruptedAt - margin) return undefined;
		const at = Math.max(this.#startedAt, startedAt);
		return { at, sentAt: sentAt - (now - at) };
	}

	/**
	 * The subscriptions to a shard were interrupted. What any node published to it from `from` to `now` is about to be
	 * reported as missing. Nodes that were overdue even before remain unaccounted for.
	 *
	 * @param from by the monotonic clock, as `now`
	 * @returns what had arrived of each node; the report must reach back to there for those that were not overdue
	 */
	interrupted(
		shard: number,
		from: number,
		now: number,
	): { readonly arrived: Accounted; readonly isOverdue: boolean }[] {
		const found: { arrived: Accounted; isOverdue: boolean }[] = [];
		this.#listening.set(shard, { since: now, interruptedAt: from, arrivedUntil: this.#arrivedUntil(shard, from) });
		for (const shards of this.#peers.values()) {
			const peer = shards[shard];
			if (peer === undefined) continue;
			const isOverdue = from - peer.accounted.at > OVERDUE_AFTER_BEATS * peer.intervalMs;
			found.push({ arrived: peer.arrived, isOverdue });
			if (!isOverdue) peer.accounted = peer.arrived = later(peer.accounted, now);
		}
		return found;
	}

	/**
	 * Returns the time up to which beats arrived of every node that was there when this node last subscribed to a shard:
	 * until then, this node was on the same server as the others. If it has subscribed just now, the time before counts
	 * as well.
	 */
	arrivedUntil(shard: number, now: number): number {
		const { since, arrivedUntil } = this.#listeningTo(shard);
		const isNew = now - since <= JUST_NOW_MS;
		return Math.min(this.#arrivedUntil(shard, now), isNew ? arrivedUntil : Infinity);
	}

	#arrivedUntil(shard: number, now: number): number {
		const { since } = this.#listeningTo(shard);
		let least = now;
		for (const shards of this.#peers.values()) {
			const at = shards[shard]?.arrived.at ?? -Infinity;
			if (at >= since) least = Math.min(least, at);
		}
		return least;
	}

	/**
	 * Returns whether a node fell silent since the last call: it may have died, or this node may be connected to the
	 * wrong server.
	 */
	newlySuspicious(now: number): boolean {
		let found = false;
		for (const [origin, shards] of this.#peers) {
			for (const [shard, peer] of shards.entries()) {
				if (peer === undefined) continue;
				const silentMs = now - peer.receivedAt;
				if (silentMs > FORGET_AFTER_MS) this.#forget(origin, shard);
				else if (!peer.suspicious && silentMs > SUSPICIOUS_AFTER_BEATS * peer.intervalMs)
					peer.suspicious = found = true;
			}
		}
		return found;
	}

	/**
	 * Gives up the nodes that fell silent without a last beat: they may have had messages that they could not publish.
	 * Returns since when, with the shard. A node is returned once, unless it comes back.
	 *
	 * @param provenAt up to when, by the monotonic clock, everything published to a shard has been received
	 */
	givenUp(provenAt: (shard: number) => number, now: number): { readonly shard: number; readonly since: Accounted }[] {
		const found: { shard: number; since: Accounted }[] = [];
		for (const shards of this.#peers.values()) {
			for (const [shard, peer] of shards.entries()) {
				if (peer === undefined || peer.givenUp) continue;
				const listenedMs = provenAt(shard) - Math.max(peer.receivedAt, this.#listeningTo(shard).since);
				if (listenedMs <= Math.max(GIVEN_UP_AFTER_MS, SUSPICIOUS_AFTER_BEATS * peer.intervalMs)) continue;
				peer.givenUp = true;
				found.push({ shard, since: peer.accounted });
				peer.accounted = later(peer.accounted, now);
			}
		}
		return found;
	}

	/**
	 * Returns the time up to which everything that other nodes published to a shard has arrived or has been reported as
	 * missing: `now` if there is no other node.
	 */
	accountedAt(shard: number, now: number): number {
		let least = now;
		for (const shards of this.#peers.values()) {
			const peer = shards[shard];
			if (peer !== undefined && !peer.givenUp) least = Math.min(least, peer.accounted.at);
		}
		return least;
	}

	#listeningTo(shard: number): Listening {
		return this.#listening.get(shard) ?? { since: this.#startedAt, interruptedAt: -Infinity, arrivedUntil: Infinity };
	}

	#remember(origin: number, shard: number, peer: Peer): void {
		let shards = this.#peers.get(origin);
		if (shards === undefined) this.#peers.set(origin, (shards = []));
		shards[shard] = peer;
	}

	#forget(origin: number, shard: number): void {
		const shards = this.#peers.get(origin);
		if (shards === undefined) return;
		shards[shard] = undefined;
		if (shards.every((peer) => peer === undefined)) this.#peers.delete(origin);
	}
}

function later({ at, sentAt }: Accounted, now: number): Accounted {
	return { at: now, sentAt: sentAt + (now - at) };
}
