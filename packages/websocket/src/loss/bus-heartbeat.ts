import type { BusLiveness } from '../bus.ts';
import type { Beat } from '../wire/frame.ts';
import { DIGEST_EVERY_MS } from './beat-timing.ts';

/** The default time between two beats of a node, in milliseconds. */
export const DEFAULT_HEARTBEAT_MS = 500;
/**
 * Where beats are not collected, the interval grows in proportion to the number of nodes above this one. With a fixed
 * interval, the total number of beats received would grow with the square of the number of nodes.
 */
const NODES_AT_FULL_RATE = 50;
/** A connection counts as dead when this many beats in a row are missing. A single one can be missing by chance. */
const BEATS_TO_MISS = 2;

/** A process whose timers are this late, in milliseconds, was held up. */
const LATE_MS = 100;
/** How long such a process then reads what has arrived, in milliseconds. */
const READ_FIRST_MS = 10;

/** A beat without its sender. */
export type BeatContent = Pick<Beat, 'number' | 'intervalMs' | 'sentAt' | 'isLast'>;

export interface BusHeartbeatOptions {
	readonly intervalMs: number;
	readonly liveness: BusLiveness;
	/** The number of nodes, this one included. */
	readonly nodeCount: () => number;
	/** Returns whether this node's beats on a shard are collected, so that digests of all nodes arrive. */
	readonly areCollected: (channel: string) => boolean;
	/** Returns whether this node is subscribed to a heartbeat channel, so that its own beats come back. */
	readonly isSubscribed: (channel: string) => boolean;
	/** Publishes a beat; rejects when the backend did not accept it. */
	readonly publish: (channel: string, beat: BeatContent) => Promise<unknown>;
	/** Called once per interval, before the beats go out, with the time of the monotonic clock. */
	readonly onTick: (now: number) => void;
}

/** What this node's own beats show about one shard. Times are of the monotonic clock, which can't be set. */
interface ShardBeats {
	/** How many beats the backend accepted. */
	accepted: number;
	/** The number of the last beat that came back. */
	received: number;
	/** The greatest number that the next beat to come back can have if none was lost. */
	expected: number;
	/** When the last beat that came back was sent. Everything published to the shard before then has been received. */
	provenAt: number;
	/** When each beat was sent that has not come back yet, by number. */
	readonly sentAt: Map<number, number>;
	/**
	 * When the unanswered beat was sent: the one that the backend has neither accepted nor refused yet. Undefined if
	 * there is no such beat.
	 */
	unansweredSince: number | undefined;
	/** When the last beat was sent. */
	lastAt: number;
	/** When the last digest of all nodes arrived; or later, if none were due before. */
	digestAt: number;
	/** Whether a digest of all nodes has arrived over the current subscriptions. */
	hasDigest: boolean;
}

/**
 * Publishes a beat on every shard at regular intervals, and expects it to come back: this proves that messages get
 * through. If the backend does not answer, the publisher connection is dead. If it accepts beats that do not come back,
 * the subscriber connection is dead; if only some do not, it has lost something.
 */
export class BusHeartbeat {
	readonly #options: BusHeartbeatOptions;
	/** By heartbeat channel. */
	readonly #shards = new Map<string, ShardBeats>();
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(options: BusHeartbeatOptions) {
		this.#options = options;
	}

	/** The time between beats, in milliseconds. */
	get intervalMs(): number {
		const { intervalMs, liveness, nodeCount } = this.#options;
		if (liveness.beats !== undefined) return intervalMs;
		return Math.ceil(intervalMs * Math.max(1, nodeCount() / NODES_AT_FULL_RATE));
	}

	start(): void {
		const now = performance.now();
		for (const channel of this.#options.liveness.heartbeatChannels()) this.#shard(channel, now);
		this.#tick();
	}

	stop(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#shards.clear();
	}

	/**
	 * Publishes a last beat on each shard, which tells the other nodes that this one stops. Resolves once the backend
	 * has accepted or refused all of them.
	 */
	async sendLast(): Promise<void> {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		const { publish } = this.#options;
		const last = { intervalMs: this.intervalMs, sentAt: Date.now(), isLast: true };
		const beats = Array.from(this.#shards, ([channel, { accepted }]) =>
			publish(channel, { ...last, number: accepted + 1 }),
		);
		await Promise.allSettled(beats);
	}

	/**
	 * Called when a beat of this node has come back. Those that the backend accepts are numbered consecutively. So if
	 * one of them has not come back, messages may not have arrived either: returns the time up to which everything
	 * published to the shard has been received, by the monotonic clock. Otherwise returns undefined.
	 */
	received(channel: string, number: number): number | undefined {
		const shard = this.#shards.get(channel);
		if (shard === undefined) return undefined;
		const lostSince = number > shard.expected ? shard.provenAt : undefined;
		shard.expected = Math.max(shard.expected, number + 1);
		shard.received = Math.max(shard.received, number);
		for (const [sent, at] of shard.sentAt) {
			if (sent > number) continue;
			shard.sentAt.delete(sent);
			shard.provenAt = Math.max(shard.provenAt, at);
		}
		this.#checkDigests(channel, shard);
		return lostSince;
	}

	/** Called when a digest of all nodes has arrived. */
	digestArrived(channel: string): void {
		const shard = this.#shards.get(channel);
		if (shard === undefined) return;
		shard.digestAt = performance.now();
		shard.hasDigest = true;
	}

	/** Like {@link awaitsDigest}, if news of other nodes come only with digests. */
	mustAwaitDigest(channel: string): boolean {
		return this.#options.areCollected(channel) && this.awaitsDigest(channel);
	}

	/** Returns whether no digest of all nodes has arrived yet since the shard was subscribed to. */
	awaitsDigest(channel: string): boolean {
		return this.#shards.get(channel)?.hasDigest === false;
	}

	/**
	 * A beat that is collected comes back over a channel of its own, which does not prove that the heartbeat channel is
	 * subscribed. But digests that were due when it was accepted have arrived before it.
	 */
	#checkDigests(channel: string, shard: ShardBeats): void {
		const { liveness, areCollected, intervalMs } = this.#options;
		if (!areCollected(channel)) {
			shard.digestAt = performance.now();
		} else if (shard.provenAt - shard.digestAt > 2 * (DIGEST_EVERY_MS + intervalMs)) {
			shard.digestAt = performance.now();
			liveness.reconnect(channel, 'subscribe');
		}
	}

	/**
	 * Returns the time up to which everything published to a shard has been received, by the monotonic clock. If no
	 * channel is given, returns the earliest such time of all shards. Returns `-Infinity` for a channel without beats.
	 */
	provenAt(channel?: string): number {
		if (channel !== undefined) return this.#shards.get(channel)?.provenAt ?? -Infinity;
		let least = performance.now();
		for (const { provenAt } of this.#shards.values()) least = Math.min(least, provenAt);
		return least;
	}

	/** Called when the shard's subscriptions have been renewed: earlier beats will not come back. */
	rebase(channel: string): void {
		const shard = this.#shards.get(channel);
		if (shard === undefined) return;
		shard.received = shard.accepted;
		// One that is on its way may have been accepted before that.
		shard.expected = shard.accepted + (shard.unansweredSince === undefined ? 1 : 2);
		shard.sentAt.clear();
		shard.digestAt = performance.now();
		shard.hasDigest = false;
	}

	#tick(): void {
		const now = performance.now();
		const { intervalMs } = this;
		this.#options.onTick(now);
		const channels = this.#options.liveness.heartbeatChannels();
		for (const channel of this.#shards.keys()) if (!channels.includes(channel)) this.#shards.delete(channel);
		for (const channel of channels) {
			if (!this.#options.isSubscribed(channel)) continue;
			const shard = this.#shard(channel, now);
			this.#check(channel, shard, now, intervalMs);
			if (shard.unansweredSince === undefined) this.#beat(channel, shard, now, intervalMs);
		}
		this.#timer = setTimeout(this.#due, intervalMs, now + intervalMs);
	}

	/**
	 * If this process was held up, what has arrived meanwhile is read first: without the answers to its beats, good
	 * connections would count as dead.
	 */
	readonly #due = (at: number): void => {
		if (performance.now() - at < LATE_MS) this.#tick();
		else this.#timer = setTimeout(() => this.#tick(), READ_FIRST_MS);
	};

	/**
	 * Publishes a beat on each shard now, unless one was published just before. From it, a node that has just started
	 * learns how far this node's clock is from its own.
	 */
	beatNow(): void {
		if (this.#timer === undefined) return;
		const now = performance.now();
		const { intervalMs } = this;
		for (const [channel, shard] of this.#shards) {
			if (shard.unansweredSince !== undefined || now - shard.lastAt < intervalMs / 4) continue;
			if (this.#options.isSubscribed(channel)) this.#beat(channel, shard, now, intervalMs);
		}
	}

	#shard(channel: string, now: number): ShardBeats {
		let shard = this.#shards.get(channel);
		if (shard === undefined) {
			shard = {
				accepted: 0,
				received: 0,
				expected: 1,
				provenAt: now,
				sentAt: new Map(),
				unansweredSince: undefined,
				lastAt: -Infinity,
				digestAt: now,
				hasDigest: false,
			};
			this.#shards.set(channel, shard);
		}
		return shard;
	}

	#check(channel: string, shard: ShardBeats, now: number, intervalMs: number): void {
		const { liveness } = this.#options;
		if (shard.unansweredSince !== undefined) {
			// Timers can fire slightly early, so half an interval is left as a margin.
			if (now - shard.unansweredSince >= (BEATS_TO_MISS - 0.5) * intervalMs) liveness.reconnect(channel, 'publish');
		} else if (shard.accepted - shard.received >= BEATS_TO_MISS) {
			// Beats between the regular ones may be so recent that they are still on their way.
			const firstMissingAt = shard.sentAt.get(shard.received + 1) ?? -Infinity;
			if (now - firstMissingAt < (BEATS_TO_MISS - 0.5) * intervalMs) return;
			shard.received = shard.accepted;
			liveness.reconnect(channel, 'subscribe');
		}
	}

	#beat(channel: string, shard: ShardBeats, now: number, intervalMs: number): void {
		const number = shard.accepted + 1;
		shard.unansweredSince = shard.lastAt = now;
		// A refused beat may have got through all the same. If the number is sent again and comes back, it proves only
		// that messages published before the first attempt were received.
		if (!shard.sentAt.has(number)) shard.sentAt.set(number, now);
		this.#options.publish(channel, { number, intervalMs, sentAt: Date.now(), isLast: false }).then(
			() => {
				shard.accepted = number;
				shard.unansweredSince = undefined;
			},
			// The next beat reuses the number of a refused one. Failures to publish are reported for messages, not for
			// beats.
			() => {
				shard.unansweredSince = undefined;
			},
		);
	}
}
