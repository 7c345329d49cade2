import { Remembered } from '../support/remembered.ts';
import type { Beat, Sender, Silence } from '../wire/frame.ts';

/** A node is suspicious if it sends no beat for this many of its intervals: it may be connected to another server. */
const SUSPICIOUS_AFTER_BEATS = 4;
/** How many intervals can pass without a beat before beats count as missed. */
const OVERDUE_AFTER_BEATS = 1.5;
/** If the times in two beats differ from what is expected by more than this, in milliseconds, a clock was set. */
const SMALLEST_STEP_MS = 250;
/** After this many beats in a row that seem to be held up, the clock has been set back. */
const MAX_HELD_UP = 10;
/** A node is given up if it sends no beat for this long, in milliseconds, and has not sent a last beat. */
const GIVEN_UP_AFTER_MS = 10_000;
/**
 * For how long a subscription counts as new, in milliseconds. The connections to a server, if opened together, are all
 * ready within this time.
 */
const JUST_NOW_MS = 5_000;
/** A silent node is forgotten after this time, in milliseconds. */
const FORGET_AFTER_MS = 600_000;
/**
 * For how long this node remembers that a node has stopped, in milliseconds. A silence that another node passed on just
 * before it received the last beat arrives within this time.
 */
const STOPPED_MS = 30_000;

/** The time up to which everything that a node published to a shard has arrived or has been reported as missing. */
export interface Accounted {
	/** By this node's monotonic clock. */
	readonly at: number;
	/** By the clock of that node, in milliseconds since the epoch. */
	readonly sentAt: number;
}

/** What is known about one node on one shard. */
interface Peer {
	incarnation: number;
	/** The number of the last beat received. */
	number: number;
	/** When that beat was received, by the monotonic clock. */
	receivedAt: number;
	intervalMs: number;
	/** Usually the time of the last beat. It is later if messages up to a later time have been reported as missing. */
	accounted: Accounted;
	/** When that beat was sent, by the clock of that node. */
	sentAt: number;
	/**
	 * How far that clock is ahead of the monotonic clock, in milliseconds, by the beat for which that was most. For a
	 * beat that was held up, it is less.
	 */
	aheadMs: number;
	/** How many of the last beats seem to have been held up. */
	heldUp: number;
	/** Whether its last beat arrived while the subscriptions of this node were interrupted. */
	hasStopped: boolean;
	/**
	 * Like `accounted`, but not moved when the node is given up, because topics with history are not part of that
	 * report.
	 */
	arrived: Accounted;
	suspicious: boolean;
	givenUp: boolean;
	/** Whether all that is known about it was passed on by other nodes: none of its beats have arrived. */
	isHearsay: boolean;
	/** When its silence was last passed on to other nodes, by the monotonic clock; -Infinity if it must be now. */
	passedOnAt: number;
	/** How long this node listened without a beat before it last began to listen, in milliseconds. */
	listenedMs: number;
}

/** The current subscriptions of this node to a shard. All times are by the monotonic clock. */
interface Listening {
	readonly since: number;
	/** When the interruption before `since` began. What was published in between has been reported as missing. */
	readonly interruptedAt: number;
	/** The result of {@link PeerBeats.arrivedUntil} before that interruption. */
	readonly arrivedUntil: number;
}

/**
 * Tracks the other nodes by their beats: which of them are alive, when beats were missed, and up to when all of their
 * messages are accounted for. All times are in milliseconds.
 */
export class PeerBeats {
	/** By origin and shard. */
	readonly #peers = new Map<number, (Peer | undefined)[]>();
	/** By shard. Has no entry for a shard whose subscriptions have never been interrupted. */
	readonly #listening = new Map<number, Listening>();
	/** The nodes that have stopped lately, by origin and shard. */
	readonly #stopped = new Remembered<true>(STOPPED_MS);
	#startedAt = 0;

	/** The number of other nodes whose beats arrive. */
	get count(): number {
		let count = 0;
		for (const shards of this.#peers.values()) if (shards.some((peer) => peer?.suspicious === false)) count++;
		return count;
	}

	/** Returns whether a beat of the node was received, unless the node has stopped since. */
	knows(origin: number): boolean {
		return this.#peers.get(origin)?.some((peer) => peer?.isHearsay === false) === true;
	}

	/** Called when this node starts to listen, at `now` by the monotonic clock. */
	start(now: number): void {
		this.#startedAt = now;
	}

	/**
	 * Returns whether a frame was sent over a connection that has since failed. Its messages have already been reported
	 * as missing.
	 */
	isLate({ origin, shard, incarnation }: Sender): boolean {
		const peer = this.#peers.get(origin)?.[shard];
		if (peer === undefined || incarnation === peer.incarnation) return false;
		if (incarnation < peer.incarnation) return true;
		peer.incarnation = incarnation;
		return false;
	}

	/**
	 * Records a beat that is not late. If earlier beats of that node were missed, its messages may have been missed as
	 * well: returns the time up to which they are accounted for. Otherwise returns undefined.
	 *
	 * @param now by the monotonic clock
	 */
	received(beat: Beat, now: number): Accounted | undefined {
		const { origin, shard, number, intervalMs, isLast, sentAt } = beat;
		const peer = this.#peers.get(origin)?.[shard];
		const missedSince = peer === undefined ? this.#missedBeforeFirst(beat, now) : this.#missedSince(peer, beat, now);
		if (isLast) {
			this.#forget(origin, shard);
			this.#stopped.set(`${origin} ${shard}`, true);
		} else if (peer === undefined) {
			this.#remember(origin, shard, newPeer(beat, now));
		} else {
			peer.number = number;
			peer.receivedAt = now;
			peer.intervalMs = intervalMs;
			followClock(peer, sentAt, now);
			peer.accounted = peer.arrived = { at: now, sentAt };
			peer.suspicious = peer.givenUp = peer.isHearsay = false;
			peer.passedOnAt = -Infinity;
			peer.listenedMs = 0;
		}
		return missedSince;
	}

	/**
	 * Records that a node has fallen silent, as another node reports. If this node knows nothing about it, its silence
	 * counts from now on, and its messages are unaccounted for since its last beat.
	 */
	heardOf(silence: Silence, now: number): void {
		const { origin, shard, silentMs } = silence;
		if (this.#peers.get(origin)?.[shard] !== undefined) return;
		if (this.#stopped.get(`${origin} ${shard}`) === true) return;
		const peer = newPeer(silence, now - silentMs);
		this.#remember(origin, shard, { ...peer, suspicious: true, isHearsay: true });
	}

	/**
	 * Returns the silent nodes of a shard that other nodes must be told of now: each as soon as it is suspicious, again
	 * after every four of its intervals, and once after it was given up. Returns none if no other node is alive: this
	 * node may be the one that is cut off.
	 */
	silences(shard: number, now: number): Omit<Silence, 'type'>[] {
		const found: Omit<Silence, 'type'>[] = [];
		if (!this.#peers.values().some((shards) => shards[shard]?.suspicious === false)) return found;
		for (const [origin, shards] of this.#peers) {
			const peer = shards[shard];
			if (peer === undefined || !peer.suspicious || peer.isHearsay) continue;
			const { incarnation, number, intervalMs, sentAt, passedOnAt, givenUp } = peer;
			if (passedOnAt > -Infinity && (givenUp || now - passedOnAt < SUSPICIOUS_AFTER_BEATS * intervalMs)) continue;
			peer.passedOnAt = now;
			found.push({ origin, shard, incarnation, number, intervalMs, sentAt, silentMs: now - peer.receivedAt });
		}
		return found;
	}

	/**
	 * Records a beat that arrived while the subscriptions of this node were interrupted, over the ones that replace
	 * them. It proves nothing about the messages before it: they are accounted for by `interrupted`.
	 */
	receivedWhileInterrupted({ origin, shard, number, isLast }: Beat): void {
		const peer = this.#peers.get(origin)?.[shard];
		if (peer === undefined) return;
		peer.number = Math.max(peer.number, number);
		peer.hasStopped ||= isLast;
	}

	#missedSince(peer: Peer, beat: Beat, now: number): Accounted | undefined {
		const { shard, number, sentAt } = beat;
		const { since, interruptedAt } = this.#listeningTo(shard);
		// A beat can arrive shortly before this node starts. That is no interruption.
		const isFirstAfterInterruption = this.#listening.has(shard) && peer.receivedAt < since;
		// If that node's clock has been set, the report of the interruption did not cover the span by the new clock.
		if (isFirstAfterInterruption && Math.abs(sentAt - now - peer.aheadMs) > SMALLEST_STEP_MS) {
			const at = Math.min(interruptedAt, peer.receivedAt);
			// By the clock as it was; the beat itself tells how it is set now.
			return later(peer.accounted, at);
		}
		// A node that was silent before may have failed to publish, and have said so while this node was interrupted.
		if (isFirstAfterInterruption && peer.accounted.at < since) return peer.accounted;
		if (number <= peer.number + 1) return undefined;
		if (peer.isHearsay) return this.#missedBeforeFirst(beat, now);
		// The missing beats may belong to an interruption that has already been reported.
		if (isFirstAfterInterruption && now - since <= OVERDUE_AFTER_BEATS * peer.intervalMs) return undefined;
		return peer.accounted;
	}

	/** If the first beat to arrive from a node is not its number 1, earlier ones should have arrived, too. */
	#missedBeforeFirst({ shard, number, intervalMs, sentAt }: Beat, now: number): Accounted | undefined {
		if (number <= 1) return undefined;
		const { since, interruptedAt } = this.#listeningTo(shard);
		const startedAt = now - number * intervalMs;
		const margin = OVERDUE_AFTER_BEATS * intervalMs;
		const isJustAfter = now - since <= margin && startedAt >= interruptedAt - margin;
		// What was sent before this node started is not missing.
		if (isJustAfter && interruptedAt === -Infinity) return undefined;
		// What was sent during an interruption has been reported, but not by the clock of a node that was not known yet.
		const at = Math.max(this.#startedAt, isJustAfter ? interruptedAt : -Infinity, startedAt);
		return { at, sentAt: sentAt - (now - at) };
	}

	/**
	 * Called when the subscriptions to a shard were interrupted. The caller is about to report everything that was
	 * published to the shard from `from` to `now` as missing. Nodes that were already overdue at `from` remain
	 * unaccounted for.
	 *
	 * @param from by the monotonic clock, like `now`
	 * @returns for each node, up to when its messages had arrived; the report must start there for nodes that were not
	 * overdue
	 */
	interrupted(
		shard: number,
		from: number,
		now: number,
	): { readonly arrived: Accounted; readonly isOverdue: boolean }[] {
		const found: { arrived: Accounted; isOverdue: boolean }[] = [];
		const before = this.#listeningTo(shard).since;
		this.#listening.set(shard, { since: now, interruptedAt: from, arrivedUntil: this.arrivedUntil(shard, from) });
		for (const [origin, shards] of this.#peers) {
			const peer = shards[shard];
			if (peer === undefined) continue;
			peer.listenedMs += Math.max(0, from - Math.max(peer.receivedAt, before));
			// No later beat will account for a node that has stopped.
			const isOverdue = !peer.hasStopped && from - peer.accounted.at > OVERDUE_AFTER_BEATS * peer.intervalMs;
			found.push({ arrived: peer.arrived, isOverdue });
			if (peer.hasStopped) this.#forget(origin, shard);
			else if (!isOverdue) peer.accounted = peer.arrived = later(peer.accounted, now);
		}
		return found;
	}

	/**
	 * Returns the time up to which beats arrived from all nodes that were alive when this node last subscribed to a
	 * shard. Until then, this node was on the same server as the others. If this node has never heard another one, the
	 * result is when it began to listen. If it has subscribed only just now, the result is at most what it was before
	 * the interruption.
	 */
	arrivedUntil(shard: number, now: number): number {
		const { since, arrivedUntil } = this.#listeningTo(shard);
		const isNew = now - since <= JUST_NOW_MS;
		return Math.min(this.#arrivedUntil(shard, now), isNew ? arrivedUntil : Infinity);
	}

	#arrivedUntil(shard: number, now: number): number {
		const { since } = this.#listeningTo(shard);
		let least = now;
		let isAlone = true;
		for (const shards of this.#peers.values()) {
			const peer = shards[shard];
			if (peer === undefined || peer.isHearsay) continue;
			isAlone = false;
			if (peer.arrived.at >= since) least = Math.min(least, peer.arrived.at);
		}
		// A node that has never heard another one may have started on a wrong server.
		return isAlone ? since : least;
	}

	/**
	 * Returns whether a node fell silent since the last call. That node may have died, or this one may be connected to
	 * the wrong server.
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
	 * For each of them, returns the shard and the time up to which its messages are accounted for. A node is returned
	 * only once, unless it comes back.
	 *
	 * @param provenAt returns the time up to which everything published to a shard has been received, by the monotonic
	 * clock
	 */
	givenUp(provenAt: (shard: number) => number, now: number): { readonly shard: number; readonly since: Accounted }[] {
		const found: { shard: number; since: Accounted }[] = [];
		for (const shards of this.#peers.values()) {
			for (const [shard, peer] of shards.entries()) {
				if (peer === undefined || peer.givenUp) continue;
				const listeningSince = Math.max(peer.receivedAt, this.#listeningTo(shard).since);
				const listenedMs = peer.listenedMs + Math.max(0, provenAt(shard) - listeningSince);
				if (listenedMs <= Math.max(GIVEN_UP_AFTER_MS, SUSPICIOUS_AFTER_BEATS * peer.intervalMs)) continue;
				peer.givenUp = true;
				peer.passedOnAt = -Infinity;
				found.push({ shard, since: peer.accounted });
				peer.accounted = later(peer.accounted, now);
			}
		}
		return found;
	}

	/**
	 * Returns the time up to which everything that other nodes published to a shard has arrived or has been reported as
	 * missing. Returns `now` if there is no other node.
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

/** Returns what is known about a node after its first beat, which arrived at `now`. */
function newPeer(beat: Omit<Silence, 'type' | 'silentMs'>, now: number): Peer {
	const { incarnation, number, intervalMs, sentAt } = beat;
	return {
		incarnation,
		number,
		receivedAt: now,
		intervalMs,
		accounted: { at: now, sentAt },
		arrived: { at: now, sentAt },
		sentAt,
		aheadMs: sentAt - now,
		heldUp: 0,
		hasStopped: false,
		suspicious: false,
		givenUp: false,
		isHearsay: false,
		passedOnAt: -Infinity,
		listenedMs: 0,
	};
}

/** Takes a beat's time into account. A beat that was held up looks like one of a clock that was set back a little. */
function followClock(peer: Peer, sentAt: number, now: number): void {
	const aheadMs = sentAt - now;
	const isSetBack = sentAt < peer.sentAt;
	peer.sentAt = sentAt;
	peer.heldUp = aheadMs < peer.aheadMs - SMALLEST_STEP_MS ? peer.heldUp + 1 : 0;
	if (isSetBack || peer.heldUp === MAX_HELD_UP) {
		peer.aheadMs = aheadMs;
		peer.heldUp = 0;
	} else {
		peer.aheadMs = Math.max(peer.aheadMs, aheadMs);
	}
}

function later({ at, sentAt }: Accounted, now: number): Accounted {
	return { at: now, sentAt: sentAt + (now - at) };
}
