import type { DigestEntry } from '../wire/digest.ts';
import type { Beat, Silence } from '../wire/frame.ts';
import { DIGEST_EVERY_MS, DIGEST_MARGIN_MS, OVERDUE_AFTER_BEATS } from './beat-timing.ts';

/** If the times in two beats differ from what is expected by more than this, in milliseconds, a clock was set. */
export const SMALLEST_STEP_MS = 250;
/** After this many beats in a row that seem to be held up, the clock has been set back. */
const MAX_HELD_UP = 10;

/** The time up to which everything that a node published to a shard has arrived or has been reported as missing. */
export interface Accounted {
	/** By this node's monotonic clock. */
	readonly at: number;
	/** By the clock of that node, in milliseconds since the epoch. */
	readonly sentAt: number;
}

/** What shows up to when a node's messages have arrived: a beat, or an entry of a digest. */
export interface Proof {
	/** The number of the last beat that the server of the shard has accepted. */
	readonly number: number;
	/** The number of the first beat of those that end with `number` and were accepted one after the other. */
	readonly first: number;
	/** When the last beat was accepted, by the monotonic clock. */
	readonly at: number;
	/** When the last beat was sent, by the clock of that node. */
	readonly sentAt: number;
	/** The latest time at which the beat before `first` can have been accepted, by the monotonic clock. */
	readonly beforeFirstAt: number;
	readonly intervalMs: number;
}

/** Beats that arrived after others that did not, and that need not have arrived: see {@link Beat.sharedFrom}. */
export interface Unproven {
	/** The number of the first of them; they follow each other. */
	readonly first: number;
	/** When the first one arrived, by the monotonic clock. */
	readonly since: number;
	/** What the last of them shows, if the ones before are proven. */
	readonly last: Proof;
}

/** What is known about one node on one shard. */
export interface Peer {
	incarnation: number;
	/** The number of the last beat that is known to have been accepted. */
	number: number;
	/** When that beat was accepted, by the monotonic clock, as far as is known. */
	receivedAt: number;
	/** When the last news of the node arrived, by the monotonic clock. */
	heardAt: number;
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
	/** Whether its beats are collected: news of it come with digests. */
	isCollected: boolean;
	unproven: Unproven | undefined;
	/** When its silence was last passed on to other nodes, by the monotonic clock; -Infinity if it must be now. */
	passedOnAt: number;
	/** How long this node listened without a beat before it last began to listen, in milliseconds. */
	listenedMs: number;
}

/** Returns what a beat shows that has arrived by itself. */
export function proofOf({ number, sentAt, intervalMs, pauseMs, sharedFrom, run }: Beat, now: number): Proof {
	// Those before the first one that all nodes receive need not have arrived. Later ones must.
	const proven = number === sharedFrom ? Math.max(1, run) : 1;
	const beforeFirstAt = now - (proven === 1 ? pauseMs : (proven - 1) * intervalMs);
	return { number, first: number - proven + 1, at: now, sentAt, beforeFirstAt, intervalMs };
}

/** Returns what an entry of a digest shows. */
export function proofOfEntry(
	{ number, run, sentAt, ageMs, pauseMs }: DigestEntry,
	intervalMs: number,
	now: number,
): Proof {
	const at = now - ageMs;
	// There can be additional beats between the regular ones: see `BusHeartbeat.beatNow`.
	const beforeFirstAt = at - (run === 1 ? pauseMs : (run - 1) * intervalMs);
	return { number, first: number - run + 1, at, sentAt, beforeFirstAt, intervalMs };
}

/** Returns whether a digest tells of another beat than the last one that is known. */
export function isNewer({ number, at }: Proof, peer: Peer): boolean {
	// A node that was started again counts from 1.
	return number > peer.number || (number < peer.number && at > peer.receivedAt + SMALLEST_STEP_MS);
}

/** Records that a node is there. */
export function heard(peer: Peer, at: number, now: number): void {
	peer.receivedAt = Math.max(peer.receivedAt, at);
	peer.heardAt = now;
	peer.suspicious = peer.givenUp = peer.isHearsay = false;
	peer.passedOnAt = -Infinity;
	peer.listenedMs = 0;
}

/** Returns what is known about a node after the first news of it, which arrived at `now`. */
export function newPeer(proof: Omit<Proof, 'first' | 'beforeFirstAt'>, incarnation: number, now: number): Peer {
	const { number, at, sentAt, intervalMs } = proof;
	return {
		incarnation,
		number,
		receivedAt: at,
		heardAt: now,
		intervalMs,
		accounted: { at, sentAt },
		arrived: { at, sentAt },
		sentAt,
		aheadMs: sentAt - at,
		heldUp: 0,
		hasStopped: false,
		suspicious: false,
		givenUp: false,
		isHearsay: false,
		isCollected: false,
		unproven: undefined,
		passedOnAt: -Infinity,
		listenedMs: 0,
	};
}

/** Returns what is known about a node of which only others have heard. */
export function hearsayPeer(silence: Omit<Silence, 'type'>, now: number): Peer {
	const { number, sentAt, intervalMs, silentMs, incarnation } = silence;
	const peer = newPeer({ number, at: now - silentMs, sentAt, intervalMs }, incarnation, now);
	return { ...peer, suspicious: true, isHearsay: true };
}

/** Records the latest news of a node, before which nothing is missing that has not been reported. */
export function prove(peer: Peer, { number, at, sentAt, intervalMs }: Proof): void {
	peer.number = number;
	peer.receivedAt = Math.max(peer.receivedAt, at);
	peer.intervalMs = intervalMs;
	followClock(peer, sentAt, at);
	// What was reported as missing can reach to a later time than a beat that was accepted before.
	if (at >= peer.accounted.at) peer.accounted = { at, sentAt };
	if (at >= peer.arrived.at) peer.arrived = { at, sentAt };
	peer.unproven = undefined;
}

/** Takes a beat's time into account. A beat that was held up looks like one of a clock that was set back a little. */
function followClock(peer: Peer, sentAt: number, at: number): void {
	const aheadMs = sentAt - at;
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

/** Returns after how long without news a node is overdue, in milliseconds. */
export function overdueAfterMs({ isCollected, intervalMs }: Peer): number {
	return isCollected ? DIGEST_EVERY_MS + DIGEST_MARGIN_MS : OVERDUE_AFTER_BEATS * intervalMs;
}

export function later({ at, sentAt }: Accounted, now: number): Accounted {
	return { at: now, sentAt: sentAt + (now - at) };
}
