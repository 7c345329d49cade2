export interface KeepAliveOptions {
	readonly intervalMs: number;
	readonly timeoutMs: number;
}

export interface KeepAliveActions {
	/**
	 * Pings the server. Resolves with the round trip in milliseconds. Rejects with the code `disconnected` if the
	 * connection has ended, or with a refusal.
	 */
	ping(): Promise<number>;
	/**
	 * Returns whether there was a sign of life since the last call or ping: a frame has arrived, or bytes that wait
	 * ahead of the ping were written.
	 */
	isAlive(): boolean;
	/** Called when there was no sign of life for `timeoutMs`. */
	dead(timeoutMs: number): void;
}

/** Pings the server regularly, and detects when the connection is dead. */
export class KeepAlive {
	readonly #options: KeepAliveOptions;
	readonly #actions: KeepAliveActions;
	#interval: ReturnType<typeof setInterval> | undefined;
	/** The ping whose answer is pending. */
	#ping: Promise<number> | undefined;
	#timeout: ReturnType<typeof setTimeout> | undefined;
	/** When `#timeout` is due, by the wall clock, which goes on while the device sleeps. */
	#dueAt = 0;

	constructor(options: KeepAliveOptions, actions: KeepAliveActions) {
		this.#options = options;
		this.#actions = actions;
	}

	start(): void {
		this.#interval = setInterval(() => void this.check(), this.#options.intervalMs);
	}

	/**
	 * Pings now, unless the answer to an earlier ping is still pending, and returns the promise of the ping. The
	 * connection counts as dead after `timeoutMs` without a sign of life; a later call can shorten that time, but not
	 * extend it.
	 */
	check(timeoutMs: number = this.#options.timeoutMs): Promise<number> {
		if (this.#ping === undefined) this.#send(timeoutMs, true);
		else if (this.#actions.isAlive() || Date.now() + timeoutMs < this.#dueAt) this.#wait(timeoutMs, true);
		return this.#ping as Promise<number>;
	}

	/** @param mayRepeat whether to ping once more if the timer fires late */
	#send(timeoutMs: number, mayRepeat: boolean): void {
		this.#wait(timeoutMs, mayRepeat);
		const answered = (): void => {
			clearTimeout(this.#timeout);
			this.#ping = undefined;
		};
		this.#ping = this.#actions.ping();
		// A refusal is an answer, too.
		this.#ping.then(answered, ({ code }) => code !== 'disconnected' && answered());
	}

	#wait(timeoutMs: number, mayRepeat: boolean): void {
		clearTimeout(this.#timeout);
		this.#dueAt = Date.now() + timeoutMs;
		this.#timeout = setTimeout(() => {
			// A late timer means that the device slept or the page was frozen, so the answer may have arrived without
			// being read yet. The ping is repeated only once, because every timer is late in a tab that has long been
			// hidden.
			if (mayRepeat && Date.now() > this.#dueAt + timeoutMs) this.#send(timeoutMs, false);
			else if (this.#actions.isAlive()) this.#wait(timeoutMs, true);
			else this.#actions.dead(timeoutMs);
		}, timeoutMs);
	}

	stop(): void {
		clearInterval(this.#interval);
		clearTimeout(this.#timeout);
	}
}
