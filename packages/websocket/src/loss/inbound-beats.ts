import type { BusLiveness } from '../bus.ts';
import type { DigestEntry } from '../wire/digest.ts';
import type { Beat, Digest, Origin } from '../wire/frame.ts';
import type { BusHeartbeat } from './bus-heartbeat.ts';
import type { ClockSkews } from './clock-skews.ts';
import type { Accounted } from './peer.ts';
import type { PeerBeats } from './peer-beats.ts';

export interface InboundBeatsOptions {
	/** This node. */
	readonly origin: Origin;
	readonly peers: PeerBeats;
	readonly skews: ClockSkews;
	/** Undefined, as is `heartbeat`, if the bus has no liveness. */
	readonly liveness: BusLiveness | undefined;
	readonly heartbeat: BusHeartbeat | undefined;
	/** The time between two heartbeats, in milliseconds. */
	readonly intervalMs: () => number;
	/** Called with the first news of other nodes. @param isHere whether a beat itself has arrived */
	readonly onNewNode: (isHere: boolean) => void;
	/**
	 * Called when a node's messages may have been missed.
	 *
	 * @param since the time up to which they are accounted for
	 * @param now by the monotonic clock
	 * @param sentAt the time of the other node's clock now, if it is known
	 */
	readonly onMissed: (shard: number, since: Accounted, now: number, sentAt?: number) => void;
	/**
	 * Called when a beat of this node has been lost on its way back, so that messages may have been lost, too.
	 *
	 * @param since the time up to which everything has arrived, by the monotonic clock
	 */
	readonly onLost: (shard: number, since: number) => void;
}

const NO_ENTRIES: readonly DigestEntry[] = [];

/** Takes the beats that arrive, and digests that tell of others, and finds out whether messages were missed. */
export class InboundBeats {
	readonly #options: InboundBeatsOptions;

	constructor(options: InboundBeatsOptions) {
		this.#options = options;
	}

	/**
	 * Called when a beat has arrived, from this node or from another one.
	 *
	 * @param channel the heartbeat channel of its shard
	 */
	received(channel: string, beat: Beat): void {
		const { origin, heartbeat, peers, skews, liveness, onNewNode, onMissed, onLost } = this.#options;
		if (liveness?.isInterrupted(channel) === true) {
			peers.receivedWhileInterrupted(beat.origin, beat.shard, beat.number, beat.isLast);
			return;
		}
		if (beat.origin === origin) {
			const lostSince = heartbeat?.received(channel, beat.number);
			if (lostSince !== undefined) onLost(beat.shard, lostSince);
			return;
		}
		skews.observe(beat);
		const now = performance.now();
		const isNew = !peers.knows(beat.origin);
		const missedSince = peers.received(beat, now);
		if (isNew) onNewNode(true);
		if (missedSince !== undefined) onMissed(beat.shard, missedSince, now, beat.sentAt);
	}

	/**
	 * Called when a digest has arrived.
	 *
	 * @param channel the heartbeat channel of its shard
	 * @returns the entries of other nodes that tell of beats that were not known
	 */
	digested(channel: string, digest: Digest): readonly DigestEntry[] {
		const { origin, heartbeat, peers, skews, liveness, intervalMs, onNewNode, onMissed } = this.#options;
		const { shard } = digest;
		if (liveness?.isInterrupted(channel) === true) {
			for (const entry of digest.entries) peers.receivedWhileInterrupted(entry.origin, shard, entry.number, false);
			return NO_ENTRIES;
		}
		const now = performance.now();
		if (digest.isFull) {
			heartbeat?.digestArrived(channel);
			peers.digestedAll(shard, now);
		}
		const news: DigestEntry[] = [];
		let isAnyNew = false;
		for (const entry of digest.entries) {
			if (entry.origin === origin) continue;
			const isNew = !peers.knows(entry.origin);
			const { isNews, missedSince } = peers.digested(entry, shard, intervalMs(), now);
			if (isNews) {
				news.push(entry);
				isAnyNew ||= isNew && peers.knows(entry.origin);
				skews.observe({ origin: entry.origin, shard, sentAt: entry.sentAt }, entry.ageMs, now);
			}
			if (missedSince !== undefined) onMissed(shard, missedSince, now, entry.sentAt + entry.ageMs);
		}
		if (digest.origin !== origin) skews.told(digest.origin, digest.skews);
		if (isAnyNew) onNewNode(false);
		return news;
	}

	/** Called once per heartbeat interval, with the time of the monotonic clock. */
	check(now: number): void {
		const { peers, onMissed } = this.#options;
		for (const { shard, since } of peers.unproven(now)) onMissed(shard, since, now);
	}
}
