import type { BusLiveness } from './bus.ts';

/** How often a node gives a sign of life unless set, in milliseconds. */
export const DEFAULT_HEARTBEAT_MS = 500;
/** Above this many nodes the interval grows with their number, so that the beats all nodes hear together grow no faster than it. */
const NODES_AT_FULL_RATE = 50;
/** Two beats in a row that go missing are no accident. */
const BEATS_TO_MISS = 2;

export interface HeartbeatOptions {
	readonly intervalMs: number;
	readonly liveness: BusLiveness;
	/** How many nodes there are, this one included. */
	readonly nodes: () => number;
	/** Whether beats on the lane will come back: it is subscribed to. */
	readonly isHeard: (lane: string) => boolean;
	/** Publishes a beat; rejects when the backend did not accept it. */
	readonly publish: (lane: string, number: number, intervalMs: number, sentAt: number) => Promise<unknown>;
	/** Once a beat, before it goes out. */
	readonly onTick: (now: number) => void;
}

/** What is known of one connection from this node's own beats. */
interface Lane {
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
export class Heartbeat {
	readonly #options: HeartbeatOptions;
	readonly #lanes = new Map<string, Lane>();
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(options: HeartbeatOptions) {
		this.#options = options;
	}

	/** Between beats, in milliseconds. */
	get intervalMs(): number {
		return Math.ceil(this.#options.intervalMs * Math.max(1, this.#options.nodes() / NODES_AT_FULL_RATE));
	}

	start(): void {
		const now = Date.now();
		for (const lane of this.#options.liveness.lanes()) this.#lane(lane, now);
		this.#tick();
	}

	stop(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#lanes.clear();
	}

	/** A beat of this node's own has come back. */
	heard(name: string, number: number, sentAt: number): void {
		const lane = this.#lanes.get(name);
		if (lane === undefined) return;
		lane.heard = Math.max(lane.heard, number);
		lane.provenUntil = Math.max(lane.provenUntil, sentAt);
	}

	/** Up to when everything was heard, in milliseconds since the epoch, on the lane that knows least. */
	provenUntil(): number {
		let least = Date.now();
		for (const { provenUntil } of this.#lanes.values()) least = Math.min(least, provenUntil);
		return least;
	}

	/** Subscriptions are new: beats from before will not come back. */
	rebase(): void {
		for (const lane of this.#lanes.values()) lane.heard = lane.accepted;
	}

	#tick(): void {
		const now = Date.now();
		const { intervalMs } = this;
		this.#options.onTick(now);
		const lanes = this.#options.liveness.lanes();
		for (const name of this.#lanes.keys()) if (!lanes.includes(name)) this.#lanes.delete(name);
		for (const name of lanes) {
			if (!this.#options.isHeard(name)) continue;
			const lane = this.#lane(name, now);
			this.#judge(name, lane, now, intervalMs);
			if (lane.unansweredSince === undefined) this.#beat(name, lane, now, intervalMs);
		}
		this.#timer = setTimeout(() => this.#tick(), intervalMs);
	}

	#lane(name: string, now: number): Lane {
		let lane = this.#lanes.get(name);
		if (lane === undefined) {
			lane = { accepted: 0, heard: 0, provenUntil: now, unansweredSince: undefined };
			this.#lanes.set(name, lane);
		}
		return lane;
	}

	#judge(name: string, lane: Lane, now: number, intervalMs: number): void {
		const { liveness } = this.#options;
		if (lane.unansweredSince !== undefined) {
			// Timers come early by a fraction; half an interval is room enough.
			if (now - lane.unansweredSince >= (BEATS_TO_MISS - 0.5) * intervalMs) liveness.reconnect(name, 'publish');
		} else if (lane.accepted - lane.heard >= BEATS_TO_MISS) {
			lane.heard = lane.accepted;
			liveness.reconnect(name, 'subscribe');
		}
	}

	#beat(name: string, lane: Lane, now: number, intervalMs: number): void {
		const number = lane.accepted + 1;
		lane.unansweredSince = now;
		this.#options.publish(name, number, intervalMs, now).then(
			() => {
				lane.accepted = number;
				lane.unansweredSince = undefined;
			},
			// A beat that was refused takes no number; that publishing fails is said elsewhere.
			() => {
				lane.unansweredSince = undefined;
			},
		);
	}
}
