/** The number of ticks per timeout: an overdue handler is detected at most one tick late. */
const TICKS_PER_TIMEOUT = 8;

/** The shortest interval between ticks, in milliseconds. */
const SHORTEST_TICK_MS = 5;

/** The part of a session that the watchdog uses. */
export interface WatchedSession {
	readonly isPaused: boolean;
	/** Whether a handler is being awaited. */
	readonly isBusy: boolean;
	/** The tick at which that handler started. */
	readonly startedAt: number;
	ping(): void;
	handlerTimedOut(): void;
}

/**
 * Finds handlers that take too long. At each tick, it scans all sessions, so the only cost per message is recording the
 * tick at which its handler started.
 */
export class HandlerWatchdog {
	readonly #sessions: () => Iterable<WatchedSession>;
	readonly #timer: ReturnType<typeof setInterval>;
	#tick = 0;

	/** @param timeoutMs the time a handler may take, in milliseconds */
	constructor(sessions: () => Iterable<WatchedSession>, timeoutMs: number) {
		this.#sessions = sessions;
		this.#timer = setInterval(() => this.#scan(), Math.max(SHORTEST_TICK_MS, timeoutMs / TICKS_PER_TIMEOUT));
		// The timer must not keep the process of a stopped application alive.
		this.#timer.unref();
	}

	/** The number of ticks so far. */
	get tick(): number {
		return this.#tick;
	}

	#scan(): void {
		const latest = ++this.#tick - TICKS_PER_TIMEOUT;
		for (const session of this.#sessions()) {
			// While nothing is read from a socket, only a write shows that its client has gone.
			if (session.isPaused) session.ping();
			if (session.isBusy && session.startedAt < latest) session.handlerTimedOut();
		}
	}

	stop(): void {
		clearInterval(this.#timer);
	}
}
