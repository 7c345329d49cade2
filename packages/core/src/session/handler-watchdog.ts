import type { Session } from './session.ts';

/** A handler is found overdue up to this part of its time late. */
const PARTS = 8;

/** How often all sessions are looked at, at most, in milliseconds. */
const SHORTEST_TICK_MS = 5;

/**
 * Finds the sessions whose handlers take too long. It looks at all of them now and then, so that a message costs nothing but to note
 * by which tick it was begun.
 */
export class HandlerWatchdog {
	readonly #sessions: () => Iterable<Session>;
	readonly #timer: ReturnType<typeof setInterval>;
	#tick = 0;

	/** @param timeoutMs what a handler may take, in milliseconds */
	constructor(sessions: () => Iterable<Session>, timeoutMs: number) {
		this.#sessions = sessions;
		this.#timer = setInterval(() => this.#look(), Math.max(SHORTEST_TICK_MS, timeoutMs / PARTS));
		// It must not keep a stopped application's process alive.
		this.#timer.unref();
	}

	/** Counts up. */
	get tick(): number {
		return this.#tick;
	}

	#look(): void {
		const latest = ++this.#tick - PARTS;
		for (const session of this.#sessions()) {
			// While nothing is read from a socket, only a write tells that its client has gone.
			if (session.isPaused) session.ws.ping();
			if (session.isBusy && session.begunAt < latest) session.overdue();
		}
	}

	stop(): void {
		clearInterval(this.#timer);
	}
}
