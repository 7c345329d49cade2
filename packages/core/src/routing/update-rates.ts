import type { Session } from '../session/session.ts';

/** How many changes a client may make in a row after a pause. */
const BURST = 5;

/**
 * Limits how often clients change their info in a topic. For each, only one time is kept: when its changes so far would
 * have been made at the allowed rate.
 *
 * @see https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
 */
export class UpdateRates {
	readonly #intervalMs: number;
	readonly #topicsPerSocket: number;
	/** By topic (monotonic clock, in milliseconds). Kept when a client leaves a topic: it can come back at once. */
	readonly #dueAt = new WeakMap<Session, Map<string, number>>();

	constructor(updatesPerSecond: number, topicsPerSocket: number) {
		this.#intervalMs = 1_000 / updatesPerSecond;
		this.#topicsPerSocket = topicsPerSocket;
	}

	/** Counts one change. Returns whether it is within the rate; one that is not does not count. */
	take(session: Session, topic: string): boolean {
		if (this.#intervalMs === 0) return true;
		const now = performance.now();
		let times = this.#dueAt.get(session);
		if (times === undefined) this.#dueAt.set(session, (times = new Map<string, number>()));
		const dueAt = times.get(topic);
		if (dueAt === undefined && !this.#hasRoom(times, now)) return false;
		const from = Math.max(now, dueAt ?? 0);
		if (from - now > (BURST - 1) * this.#intervalMs) return false;
		times.set(topic, from + this.#intervalMs);
		return true;
	}

	/** There are more topics than a client can be in only if it keeps entering others. */
	#hasRoom(times: Map<string, number>, now: number): boolean {
		if (times.size < this.#topicsPerSocket) return true;
		for (const [topic, dueAt] of times) if (dueAt <= now) times.delete(topic);
		return times.size < this.#topicsPerSocket;
	}
}
