export interface KeepAliveOptions {
	readonly intervalMs: number;
	readonly timeoutMs: number;
}

/** Pings the server regularly, and detects when the connection is dead. */
export class KeepAlive {
	readonly #options: KeepAliveOptions;
	readonly #ping: () => Promise<number>;
	readonly #isAlive: () => boolean;
	readonly #dead: (timeoutMs: number) => void;
	#interval: ReturnType<typeof setInterval> | undefined;
	/** The ping whose answer is pending. */
	#answer: Promise<number> | undefined;
	#timeout: ReturnType<typeof setTimeout> | undefined;
	/** When `#timeout` is due, by the wall clock, which goes on while the device sleeps. */
	#dueAt = 0;

	/**
	 * @param ping pings the server; resolves with the round trip in milliseconds, or rejects with the code
	 * `disconnected` if the connection has ended, or with a refusal
	 * @param isAlive returns whether there was a sign of life since the last call or ping
	 * @param dead called when there was no sign of life for `timeoutMs`
	 */
	constructor(
		options: KeepAliveOptions,
		ping: () => Promise<number>,
		isAlive: () => boolean,
		dead: (timeoutMs: number) => void,
	) {
		this.#options = options;
		this.#ping = ping;
		this.#isAlive = isAlive;
		this.#dead = dead;
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
		if (!this.#answer) this.#send(timeoutMs, true);
		else if (this.#isAlive() || Date.now() + timeoutMs < this.#dueAt) this.#wait(timeoutMs, true);
		return this.#answer as Promise<number>;
	}

	/** @param mayRepeat whether to ping once more if the timer fires late */
	#send(timeoutMs: number, mayRepeat: boolean): void {
		this.#wait(timeoutMs, mayRepeat);
		const answered = (): void => {
			clearTimeout(this.#timeout);
			this.#answer = undefined;
		};
		this.#answer = this.#ping();
		// A refusal is an answer, too.
		this.#answer.then(answered, ({ code }) => code !== 'disconnected' && answered());
	}

	#wait(timeoutMs: number, mayRepeat: boolean): void {
		clearTimeout(this.#timeout);
		this.#dueAt = Date.now() + timeoutMs;
		this.#timeout = setTimeout(() => {
			// A late timer means that the device slept or the page was frozen, so the answer may have arrived without
			// being read yet. The ping is repeated only once, because every timer is late in a tab that has long been
			// hidden.
			if (mayRepeat && Date.now() > this.#dueAt + timeoutMs) this.#send(timeoutMs, false);
			else if (this.#isAlive()) this.#wait(timeoutMs, true);
			else this.#dead(timeoutMs);
		}, timeoutMs);
	}

	stop(): void {
		clearInterval(this.#interval);
		clearTimeout(this.#timeout);
	}
}
