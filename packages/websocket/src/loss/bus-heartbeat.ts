import type { BusLiveness } from '../bus.ts';
import type { Beat, Sender } from '../wire/frame.ts';

/** How often a node publishes a beat by default, in milliseconds. */
export const DEFAULT_HEARTBEAT_MS = 500;
/**
 * Above this number of nodes the interval grows with it, so that the beats that all nodes receive do not grow with its
 * square.
 */
const NODES_AT_FULL_RATE = 50;
/** One missing beat may be chance; two in a row are not. */
const BEATS_TO_MISS = 2;

/** A beat without its sender. */
export type BeatContent = Omit<Beat, keyof Sender | 'type'>;

export interface BusHeartbeatOptions {
	readonly intervalMs: number;
	readonly liveness: BusLiveness;
	/** The number of nodes, this one included. */
	readonly nodeCount: () => number;
	/** Whether beats on this heartbeat channel will come back. */
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
	/** The number of the last one that came back. */
	received: number;
	/** When the last one that came back was sent: everything published before that has been received. */
	provenAt: number;
	/** When the beats were sent that have not come back yet, by number. */
	readonly sentAt: Map<number, number>;
	/** When the beat that has no answer yet was sent. */
	unansweredSince: number | undefined;
}

/**
 * Proves that messages get through: a beat is published on every shard and must come back. A beat without an answer
 * means a dead publisher connection; an accepted one that does not come back means a dead subscriber connection.
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
		return Math.ceil(this.#options.intervalMs * Math.max(1, this.#options.nodeCount() / NODES_AT_FULL_RATE));
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

	/** Publishes a last beat on each shard, with the number that follows. Resolves once each was accepted or refused. */
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

	/** A beat of this node came back. */
	received(channel: string, number: number): void {
		const shard = this.#shards.get(channel);
		if (shard === undefined) return;
		shard.received = Math.max(shard.received, number);
		for (const [sent, at] of shard.sentAt) {
			if (sent > number) continue;
			shard.sentAt.delete(sent);
			shard.provenAt = Math.max(shard.provenAt, at);
		}
	}

	/**
	 * The time up to which everything published to a shard was received, or everything on all shards, by the monotonic
	 * clock. `-Infinity` for a channel without beats.
	 */
	provenAt(channel?: string): number {
		if (channel !== undefined) return this.#shards.get(channel)?.provenAt ?? -Infinity;
		let least = performance.now();
		for (const { provenAt } of this.#shards.values()) least = Math.min(least, provenAt);
		return least;
	}

	/** The shard's subscriptions are new: earlier beats will not come back. */
	rebase(channel: string): void {
		const shard = this.#shards.get(channel);
		if (shard === undefined) return;
		shard.received = shard.accepted;
		shard.sentAt.clear();
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
		this.#timer = setTimeout(() => this.#tick(), intervalMs);
	}

	#shard(channel: string, now: number): ShardBeats {
		let shard = this.#shards.get(channel);
		if (shard === undefined) {
			shard = { accepted: 0, received: 0, provenAt: now, sentAt: new Map(), unansweredSince: undefined };
			this.#shards.set(channel, shard);
		}
		return shard;
	}

	#check(channel: string, shard: ShardBeats, now: number, intervalMs: number): void {
		const { liveness } = this.#options;
		if (shard.unansweredSince !== undefined) {
			// Timers may fire a fraction early; half an interval is margin enough.
			if (now - shard.unansweredSince >= (BEATS_TO_MISS - 0.5) * intervalMs) liveness.reconnect(channel, 'publish');
		} else if (shard.accepted - shard.received >= BEATS_TO_MISS) {
			shard.received = shard.accepted;
			liveness.reconnect(channel, 'subscribe');
		}
	}

	#beat(channel: string, shard: ShardBeats, now: number, intervalMs: number): void {
		const number = shard.accepted + 1;
		shard.unansweredSince = now;
		// A number that was refused may have got through all the same: its first time is what it proves.
		if (!shard.sentAt.has(number)) shard.sentAt.set(number, now);
		this.#options.publish(channel, { number, intervalMs, sentAt: Date.now(), isLast: false }).then(
			() => {
				shard.accepted = number;
				shard.unansweredSince = undefined;
			},
			// A refused beat takes no number. The failure itself is reported by whatever publishes messages.
			() => {
				shard.unansweredSince = undefined;
			},
		);
	}
}
