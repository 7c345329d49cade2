export interface KeepAliveOptions {
	readonly intervalMs: number;
	readonly timeoutMs: number;
}

export interface KeepAliveActions {
	/**
	 * Pings the server. Resolves once it has answered. Rejects if the connection has ended, or the server has refused
	 * the ping.
	 */
	ping(): Promise<void>;
	/** Called when the server has not answered in time. */
	dead(): void;
}

/** Detects a server that no longer answers. */
export class KeepAlive {
	readonly #options: KeepAliveOptions;
	readonly #actions: KeepAliveActions;
	#interval: ReturnType<typeof setInterval> | undefined;
	#timeout: ReturnType<typeof setTimeout> | undefined;
	#isStopped = false;

	constructor(options: KeepAliveOptions, actions: KeepAliveActions) {
		this.#options = options;
		this.#actions = actions;
	}

	start(): void {
		this.#interval = setInterval(() => this.beat(), this.#options.intervalMs);
	}

	/** Pings now, unless the answer to an earlier ping is still pending. */
	beat(): void {
		if (this.#timeout === undefined && !this.#isStopped) this.#ping(true);
	}

	/** @param mayRepeat whether to ping once more if the timer fires late */
	#ping(mayRepeat: boolean): void {
		const { timeoutMs } = this.#options;
		const sentAt = Date.now();
		this.#timeout = setTimeout(() => {
			// A late timer means that the device slept or the page was frozen, so an answer may have arrived that was not
			// read yet. The ping is repeated only once, because every timer is late in a tab that has long been hidden.
			if (mayRepeat && Date.now() - sentAt > 2 * timeoutMs) return this.#ping(false);
			this.#timeout = undefined;
			this.#actions.dead();
		}, timeoutMs);
		// A refusal is an answer, too. Once the connection has ended, there is no answer to wait for.
		const answered = (): void => this.#answered();
		this.#actions.ping().then(answered, answered);
	}

	#answered(): void {
		clearTimeout(this.#timeout);
		this.#timeout = undefined;
	}

	stop(): void {
		this.#isStopped = true;
		clearInterval(this.#interval);
		this.#answered();
	}
}
