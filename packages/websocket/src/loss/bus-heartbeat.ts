import type { BusLiveness } from '../bus.ts';

/** How often a node gives a sign of life unless set, in milliseconds. */
export const DEFAULT_HEARTBEAT_MS = 500;
/** Above this many nodes the interval grows with their number, so that the beats all nodes hear together grow no faster than it. */
const NODES_AT_FULL_RATE = 50;
/** Two beats in a row that go missing are no accident. */
const BEATS_TO_MISS = 2;

export interface BusHeartbeatOptions {
	readonly intervalMs: number;
	readonly liveness: BusLiveness;
	/** How many nodes there are, this one included. */
	readonly nodes: () => number;
	/** Whether beats on the shard will come back: it is subscribed to. */
	readonly isHeard: (shard: string) => boolean;
	/** Publishes a beat; rejects when the backend did not accept it. */
	readonly publish: (shard: string, number: number, intervalMs: number, sentAt: number) => Promise<unknown>;
	/** Once a beat, before it goes out. */
	readonly onTick: (now: number) => void;
}

/** What is known of one connection from this node's own beats. */
interface Shard {
	/** How many beats the backend accepted. */
	accepted: number;
	/** How many of them came back. */
	heard: number;
	/** When the last one that came back had been sent: everything up to then has been heard. */
	provenUntil: number;
	/** When the beat that has no answer yet was sent. */
	unansweredSince: number | undefined;
}

/**
 * Shows that messages really pass: a beat is published on every connection and must be heard again on it. A beat without an answer
 * means a dead connection to publish by; an accepted one that does not come back means a dead connection to subscribe by.
 */
export class BusHeartbeat {
	readonly #options: BusHeartbeatOptions;
	readonly #shards = new Map<string, Shard>();
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(options: BusHeartbeatOptions) {
		this.#options = options;
	}

	/** Between beats, in milliseconds. */
	get intervalMs(): number {
		return Math.ceil(this.#options.intervalMs * Math.max(1, this.#options.nodes() / NODES_AT_FULL_RATE));
	}

	start(): void {
		const now = Date.now();
		for (const shard of this.#options.liveness.heartbeatChannels()) this.#shard(shard, now);
		this.#tick();
	}

	stop(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#shards.clear();
	}

	/** A beat of this node's own has come back. */
	heard(name: string, number: number, sentAt: number): void {
		const shard = this.#shards.get(name);
		if (shard === undefined) return;
		shard.heard = Math.max(shard.heard, number);
		shard.provenUntil = Math.max(shard.provenUntil, sentAt);
	}

	/** Up to when everything was heard, in milliseconds since the epoch, on the shard that knows least. */
	provenUntil(): number {
		let least = Date.now();
		for (const { provenUntil } of this.#shards.values()) least = Math.min(least, provenUntil);
		return least;
	}

	/** Subscriptions are new: beats from before will not come back. */
	rebase(): void {
		for (const shard of this.#shards.values()) shard.heard = shard.accepted;
	}

	#tick(): void {
		const now = Date.now();
		const { intervalMs } = this;
		this.#options.onTick(now);
		const shards = this.#options.liveness.heartbeatChannels();
		for (const name of this.#shards.keys()) if (!shards.includes(name)) this.#shards.delete(name);
		for (const name of shards) {
			if (!this.#options.isHeard(name)) continue;
			const shard = this.#shard(name, now);
			this.#judge(name, shard, now, intervalMs);
			if (shard.unansweredSince === undefined) this.#beat(name, shard, now, intervalMs);
		}
		this.#timer = setTimeout(() => this.#tick(), intervalMs);
	}

	#shard(name: string, now: number): Shard {
		let shard = this.#shards.get(name);
		if (shard === undefined) {
			shard = { accepted: 0, heard: 0, provenUntil: now, unansweredSince: undefined };
			this.#shards.set(name, shard);
		}
		return shard;
	}

	#judge(name: string, shard: Shard, now: number, intervalMs: number): void {
		const { liveness } = this.#options;
		if (shard.unansweredSince !== undefined) {
			// Timers come early by a fraction; half an interval is room enough.
			if (now - shard.unansweredSince >= (BEATS_TO_MISS - 0.5) * intervalMs) liveness.reconnect(name, 'publish');
		} else if (shard.accepted - shard.heard >= BEATS_TO_MISS) {
			shard.heard = shard.accepted;
			liveness.reconnect(name, 'subscribe');
		}
	}

	#beat(name: string, shard: Shard, now: number, intervalMs: number): void {
		const number = shard.accepted + 1;
		shard.unansweredSince = now;
		this.#options.publish(name, number, intervalMs, now).then(
			() => {
				shard.accepted = number;
				shard.unansweredSince = undefined;
			},
			// A beat that was refused takes no number; that publishing fails is said elsewhere.
			() => {
				shard.unansweredSince = undefined;
			},
		);
	}
}
