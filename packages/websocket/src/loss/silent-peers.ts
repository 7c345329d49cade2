import type { Silence } from '../wire/frame.ts';
import { DIGEST_EVERY_MS, DIGEST_MARGIN_MS, FORGET_AFTER_MS, OVERDUE_AFTER_BEATS } from './beat-timing.ts';
import { type Accounted, later, type Peer } from './peer.ts';
import type { Peers } from './peers.ts';

/** A node is suspicious if it sends no beat for this many of its intervals: it may be connected to another server. */
const SUSPICIOUS_AFTER_BEATS = 4;
/** A node is given up if it sends no beat for this long, in milliseconds, and has not sent a last beat. */
export const GIVEN_UP_AFTER_MS = 10_000;
/** The frames of one digest arrive within this time, in milliseconds. */
const ONE_DIGEST_MS = 1_000;

/** Finds the nodes whose beats no longer arrive. All times are in milliseconds, by the monotonic clock. */
export class SilentPeers {
	readonly #peers: Peers;
	/** When the last digest of all nodes arrived, or its first frame, by shard. */
	readonly #fullAt: number[] = [];
	/** Whether a digest has shown a silent node since the last call of {@link newlySuspicious}. */
	#hasFound = false;

	constructor(peers: Peers) {
		this.#peers = peers;
	}

	/** Called when a frame of a digest of all nodes has arrived. */
	digestedAll(shard: number, now: number): void {
		if (now - (this.#fullAt[shard] ?? -Infinity) > ONE_DIGEST_MS) this.#fullAt[shard] = now;
	}

	/** See {@link PeerBeats.hasFoundSilent}. */
	get hasFound(): boolean {
		return this.#hasFound;
	}

	/** Called when a digest has shown that a node is silent. */
	found(peer: Peer): void {
		if (!peer.suspicious) peer.suspicious = this.#hasFound = true;
	}

	/**
	 * See {@link PeerBeats.newlySuspicious}.
	 *
	 * @param listeningSince returns when this node last began to listen to a shard
	 */
	newlySuspicious(listeningSince: (shard: number) => number, now: number): boolean {
		let found = this.#hasFound;
		this.#hasFound = false;
		for (const [shard, peers] of this.#peers.shards.entries()) {
			const since = listeningSince(shard);
			for (const [origin, peer] of peers) {
				if (now - peer.receivedAt > FORGET_AFTER_MS) this.#peers.delete(origin, shard);
				else if (!peer.suspicious && this.#isWithoutNews(peer, shard, since, now)) peer.suspicious = found = true;
			}
		}
		return found;
	}

	/** @param since when this node began to listen to the shard; what arrives is expected from then on */
	#isWithoutNews(peer: Peer, shard: number, since: number, now: number): boolean {
		const expectedFrom = Math.max(peer.heardAt, since);
		if (!peer.isCollected) return now - expectedFrom > SUSPICIOUS_AFTER_BEATS * peer.intervalMs;
		// A digest of all nodes of a server that does not know the node.
		const fullAt = this.#fullAt[shard] ?? -Infinity;
		if (expectedFrom < fullAt && now - fullAt > OVERDUE_AFTER_BEATS * peer.intervalMs) return true;
		return now - expectedFrom > DIGEST_EVERY_MS + DIGEST_MARGIN_MS;
	}

	/** See {@link PeerBeats.silences}. */
	toPassOn(shard: number, now: number): Omit<Silence, 'type'>[] {
		const found: Omit<Silence, 'type'>[] = [];
		const peers = this.#peers.onShard(shard);
		if (!peers.values().some(({ suspicious }) => !suspicious)) return found;
		for (const [origin, peer] of peers) {
			if (!peer.suspicious || peer.isHearsay || peer.isCollected) continue;
			const { incarnation, number, intervalMs, sentAt, passedOnAt, givenUp } = peer;
			if (passedOnAt > -Infinity && (givenUp || now - passedOnAt < SUSPICIOUS_AFTER_BEATS * intervalMs)) continue;
			peer.passedOnAt = now;
			found.push({ origin, shard, incarnation, number, intervalMs, sentAt, silentMs: now - peer.receivedAt });
		}
		return found;
	}

	/**
	 * See {@link PeerBeats.givenUp}.
	 *
	 * @param listeningSince returns when this node last began to listen to a shard
	 */
	givenUp(
		provenAt: (shard: number) => number,
		listeningSince: (shard: number) => number,
		now: number,
	): { readonly shard: number; readonly since: Accounted }[] {
		const found: { shard: number; since: Accounted }[] = [];
		for (const [shard, peers] of this.#peers.shards.entries()) {
			const [proven, listening] = [provenAt(shard), listeningSince(shard)];
			for (const peer of peers.values()) {
				if (peer.givenUp) continue;
				const listenedMs = peer.listenedMs + Math.max(0, proven - Math.max(peer.receivedAt, listening));
				if (listenedMs <= Math.max(GIVEN_UP_AFTER_MS, SUSPICIOUS_AFTER_BEATS * peer.intervalMs)) continue;
				peer.givenUp = true;
				peer.passedOnAt = -Infinity;
				found.push({ shard, since: peer.accounted });
				peer.accounted = later(peer.accounted, now);
			}
		}
		return found;
	}
}
