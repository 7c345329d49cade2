import { Remembered } from '../support/remembered.ts';
import type { DigestEntry } from '../wire/digest.ts';
import type { Beat, Sender, Silence } from '../wire/frame.ts';
import { SILENT_AFTER_MS } from './beat-timing.ts';
import { type Listening, missedBeforeFirst, missedSince } from './missed-since.ts';
import {
	type Accounted,
	hearsayPeer,
	heard,
	isNewer,
	later,
	newPeer,
	overdueAfterMs,
	type Peer,
	type Proof,
	proofOf,
	proofOfEntry,
	prove,
	SMALLEST_STEP_MS,
} from './peer.ts';
import { Peers } from './peers.ts';
import { GIVEN_UP_AFTER_MS, SilentPeers } from './silent-peers.ts';
import { addUnproven, settleUnproven, unprovenTooLong } from './unproven.ts';

/**
 * For how long a subscription counts as new, in milliseconds. The connections to a server, if opened together, are all
 * ready within this time.
 */
const JUST_NOW_MS = 5_000;
/**
 * For how long this node remembers that a node has stopped, in milliseconds. A silence that another node passed on just
 * before it received the last beat arrives within this time.
 */
const STOPPED_MS = 30_000;
/** The age in a digest is at most this, in milliseconds. */
const MOST_AGE_MS = 655_350;

/** What an entry of a digest shows. */
export interface EntryNews {
	/** Whether the entry tells of a beat that was not known. */
	readonly isNews: boolean;
	/** As for {@link PeerBeats.received}. */
	readonly missedSince: Accounted | undefined;
}

const NO_NEWS: EntryNews = { isNews: false, missedSince: undefined };

/**
 * Tracks the other nodes by their beats: which of them are alive, when beats were missed, and up to when all of their
 * messages are accounted for. Beats arrive themselves, or digests tell of them: see {@link BeatStore}. All times are in
 * milliseconds.
 */
export class PeerBeats {
	readonly #peers = new Peers();
	/** By shard. Has no entry for a shard whose subscriptions have never been interrupted. */
	readonly #listening = new Map<number, Listening>();
	/** When nodes that have stopped lately sent their last beats, by their clocks; by origin and shard. */
	readonly #stopped = new Remembered<number>(STOPPED_MS);
	readonly #silent = new SilentPeers(this.#peers);
	/** The least time that is accounted for, by shard. It is computed when it is needed, as are the next two. */
	readonly #accountedAt: (number | undefined)[] = [];
	#areCollected: boolean | undefined;
	#count: number | undefined;
	#startedAt = 0;

	/** The number of other nodes whose beats arrive. */
	get count(): number {
		this.#count ??= this.#peers.countAlive();
		return this.#count;
	}

	/** Whether news of any node come with digests. */
	get areCollected(): boolean {
		this.#areCollected ??= this.#peers.some(({ isCollected, suspicious }) => isCollected && !suspicious);
		return this.#areCollected;
	}

	/** Returns whether a beat of the node was received, unless the node has stopped since. */
	knows(origin: number): boolean {
		return this.#peers.knows(origin);
	}

	/** Returns whether beats of a node arrive on any shard; undefined if nothing is known about it. */
	isAlive(origin: number): boolean | undefined {
		return this.#peers.isAlive(origin);
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
		const peer = this.#peers.get(origin, shard);
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
		this.#changed();
		const { origin, shard, incarnation, isLast, sharedFrom } = beat;
		const proof = proofOf(beat, now);
		const peer = this.#peers.get(origin, shard);
		const isUnproven = peer !== undefined && !isLast && addUnproven(peer, proof, sharedFrom, now);
		const missed = isUnproven ? this.#missedWithout(peer, shard) : this.#missed(peer, proof, shard);
		if (isLast) {
			this.#peers.delete(origin, shard);
			this.#stopped.set(`${origin} ${shard}`, beat.sentAt);
		} else if (peer === undefined) {
			this.#peers.set(origin, shard, { ...newPeer(proof, incarnation, now), isCollected: beat.endsShared });
		} else {
			if (!isUnproven || missed !== undefined) prove(peer, proof);
			heard(peer, now, now);
			peer.isCollected = beat.endsShared || peer.unproven !== undefined;
		}
		return missed;
	}

	/**
	 * Records what a digest says about another node.
	 *
	 * @param intervalMs the time between two beats of a node of which no beat has arrived
	 * @param now by the monotonic clock
	 */
	digested(entry: DigestEntry, shard: number, intervalMs: number, now: number): EntryNews {
		this.#changed();
		const { origin, incarnation, ageMs } = entry;
		const peer = this.#peers.get(origin, shard);
		const proof = proofOfEntry(entry, peer?.intervalMs ?? intervalMs, now);
		if (peer === undefined) return this.#firstDigested(entry, shard, proof, now);
		if (incarnation < peer.incarnation) return NO_NEWS;
		peer.incarnation = incarnation;
		const isSilent = ageMs >= SILENT_AFTER_MS;
		const isNews = isNewer(proof, peer);
		// Beats that arrive by themselves can be of a node whose beats the server no longer records. Of the same beat,
		// the two times differ if one of the digests was held up.
		if (entry.number < peer.number && !isNews && proof.at < peer.receivedAt - SMALLEST_STEP_MS) return NO_NEWS;
		// A beat that a digest reported while the subscriptions were interrupted accounts for nothing before it.
		if (!isNews && this.#missedWithout(peer, shard) === undefined) {
			if (peer.isCollected) peer.heardAt = now;
			if (isSilent) this.#silent.found(peer);
			return NO_NEWS;
		}
		const missed = this.#missed(peer, proof, shard);
		const { unproven } = peer;
		prove(peer, proof);
		settleUnproven(peer, unproven);
		heard(peer, proof.at, now);
		peer.isCollected = peer.unproven !== undefined || peer.number === proof.number;
		if (isSilent) this.#silent.found(peer);
		return { isNews, missedSince: missed };
	}

	#firstDigested(entry: DigestEntry, shard: number, proof: Proof, now: number): EntryNews {
		const { origin, incarnation, number, sentAt, ageMs } = entry;
		if (this.#hasStopped(origin, shard, sentAt)) return NO_NEWS;
		const { intervalMs } = proof;
		if (ageMs < SILENT_AFTER_MS) {
			this.#peers.set(origin, shard, { ...newPeer(proof, incarnation, now), isCollected: true });
			return { isNews: true, missedSince: this.#missed(undefined, proof, shard) };
		}
		const silence = { origin, shard, incarnation, number, sentAt, intervalMs, silentMs: ageMs };
		// The nodes that knew it have reported long ago what it may have had to publish.
		const givenUp = ageMs > 2 * GIVEN_UP_AFTER_MS;
		this.#peers.set(origin, shard, { ...hearsayPeer(silence, now), isCollected: true, givenUp });
		return { isNews: ageMs < MOST_AGE_MS, missedSince: undefined };
	}

	/** Returns whether a node has stopped since it sent a beat. It may have been started again. */
	#hasStopped(origin: number, shard: number, sentAt: number): boolean {
		const lastAt = this.#stopped.get(`${origin} ${shard}`);
		return lastAt !== undefined && sentAt <= lastAt;
	}

	/** Called when a frame of a digest of all nodes has arrived. */
	digestedAll(shard: number, now: number): void {
		this.#silent.digestedAll(shard, now);
	}

	/**
	 * Returns the time up to which the messages of each node are accounted for whose beats have skipped numbers, if no
	 * digest has told in time that the server has accepted those. Called once per heartbeat interval.
	 */
	unproven(now: number): { readonly shard: number; readonly since: Accounted }[] {
		const found: { shard: number; since: Accounted }[] = [];
		for (const [shard, peers] of this.#peers.shards.entries()) {
			for (const peer of peers.values()) {
				const last = unprovenTooLong(peer, now);
				if (last === undefined) continue;
				this.#changed();
				found.push({ shard, since: peer.accounted });
				prove(peer, last);
				peer.isCollected = false;
			}
		}
		return found;
	}

	/**
	 * Records that a node has fallen silent, as another node reports. If this node knows nothing about it, its silence
	 * counts from now on, and its messages are unaccounted for since its last beat.
	 */
	heardOf(silence: Silence, now: number): void {
		const { origin, shard } = silence;
		this.#changed();
		if (this.#peers.get(origin, shard) !== undefined) return;
		if (this.#hasStopped(origin, shard, silence.sentAt)) return;
		this.#peers.set(origin, shard, hearsayPeer(silence, now));
	}

	/**
	 * Returns the silent nodes of a shard that other nodes must be told of now: each as soon as it is suspicious, again
	 * after every four of its intervals, and once after it was given up. Digests tell of nodes whose beats are
	 * collected. Returns none if no other node is alive: this node may be the one that is cut off.
	 */
	silences(shard: number, now: number): Omit<Silence, 'type'>[] {
		return this.#silent.toPassOn(shard, now);
	}

	/**
	 * Records a beat that arrived while the subscriptions of this node were interrupted, over the ones that replace
	 * them, by itself or in a digest. It proves nothing about the messages before it: they are accounted for by
	 * `interrupted`.
	 */
	receivedWhileInterrupted(origin: number, shard: number, number: number, isLast: boolean): void {
		const peer = this.#peers.get(origin, shard);
		if (peer === undefined) return;
		peer.number = Math.max(peer.number, number);
		peer.hasStopped ||= isLast;
	}

	/** @param peer undefined if these are the first news of the node */
	#missed(peer: Peer | undefined, proof: Proof, shard: number): Accounted | undefined {
		const listening = this.#listeningTo(shard);
		return peer === undefined
			? missedBeforeFirst(proof, listening, this.#startedAt)
			: missedSince(peer, proof, listening, this.#startedAt);
	}

	/** Returns what {@link missedSince} does for a beat that proves nothing, but tells that the node is there. */
	#missedWithout(peer: Peer, shard: number): Accounted | undefined {
		const { since, interruptedAt } = this.#listeningTo(shard);
		// What was missed while it was silent is not part of the report of the interruption.
		return interruptedAt > -Infinity && peer.heardAt < since && peer.accounted.at < since ? peer.accounted : undefined;
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
		this.#changed();
		const before = this.#listeningTo(shard).since;
		const arrivedUntil = this.arrivedUntil(shard, from);
		this.#listening.set(shard, { since: now, interruptedAt: from, arrivedUntil });
		for (const [origin, peer] of this.#peers.onShard(shard)) {
			peer.listenedMs += Math.max(0, from - Math.max(peer.receivedAt, before));
			// No later beat will account for a node that has stopped.
			const isOverdue = !peer.hasStopped && from - peer.accounted.at > overdueAfterMs(peer);
			found.push({ arrived: peer.arrived, isOverdue });
			if (peer.hasStopped) {
				this.#peers.delete(origin, shard);
			} else if (!isOverdue) {
				// It has fallen silent only to this node, which was cut off.
				if (!peer.isHearsay) peer.suspicious = false;
				peer.accounted = peer.arrived = later(peer.accounted, now);
				peer.number = Math.max(peer.number, peer.unproven?.last.number ?? 0);
			}
			peer.unproven = undefined;
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
		for (const peer of this.#peers.onShard(shard).values()) {
			if (peer.isHearsay) continue;
			isAlone = false;
			if (peer.arrived.at >= since) least = Math.min(least, peer.arrived.at);
		}
		// A node that has never heard another one may have started on a wrong server.
		return isAlone ? since : least;
	}

	/** Whether a digest has shown a silent node since the last call of {@link newlySuspicious}. */
	get hasFoundSilent(): boolean {
		return this.#silent.hasFound;
	}

	/**
	 * Returns whether a node fell silent since the last call. That node may have died, or this one may be connected to
	 * the wrong server.
	 */
	newlySuspicious(now: number): boolean {
		this.#changed();
		return this.#silent.newlySuspicious((shard) => this.#listeningTo(shard).since, now);
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
		const found = this.#silent.givenUp(provenAt, (shard) => this.#listeningTo(shard).since, now);
		if (found.length > 0) this.#changed();
		return found;
	}

	/**
	 * Returns the time up to which everything that other nodes published to a shard has arrived or has been reported as
	 * missing. Returns `now` if there is no other node.
	 */
	accountedAt(shard: number, now: number): number {
		let least = this.#accountedAt[shard];
		if (least === undefined) {
			least = Infinity;
			for (const peer of this.#peers.onShard(shard).values())
				if (!peer.givenUp) least = Math.min(least, peer.accounted.at);
			this.#accountedAt[shard] = least;
		}
		return Math.min(now, least);
	}

	/** Called when anything may have become known of a node. */
	#changed(): void {
		if (this.#accountedAt.length > 0) this.#accountedAt.length = 0;
		this.#areCollected = this.#count = undefined;
	}

	/** Returns when this node began to listen to a shard, or to listen again, by the monotonic clock. */
	listeningSince(shard: number): number {
		return this.#listeningTo(shard).since;
	}

	#listeningTo(shard: number): Listening {
		return (
			this.#listening.get(shard) ?? {
				since: this.#startedAt,
				interruptedAt: -Infinity,
				arrivedUntil: Infinity,
			}
		);
	}
}
