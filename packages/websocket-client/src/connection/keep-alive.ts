export interface KeepAliveOptions {
	readonly intervalMs: number;
	readonly timeoutMs: number;
}

export interface KeepAliveActions {
	/** Resolves once the server has answered. Rejects when the connection is over, or the server has refused. */
	ping(): Promise<void>;
	/** The server has not answered in time. */
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

	/** Pings now, unless an answer is awaited already. */
	beat(): void {
		if (this.#timeout === undefined && !this.#isStopped) this.#ping(true);
	}

	/** @param mayRepeat whether to ping again if the timer was late */
	#ping(mayRepeat: boolean): void {
		const { timeoutMs } = this.#options;
		const sentAt = Date.now();
		this.#timeout = setTimeout(() => {
			// The device slept, or the page was frozen: the answer may have arrived unread. Only once, as in a tab that
			// was hidden for long every timer is late.
			if (mayRepeat && Date.now() - sentAt > 2 * timeoutMs) return this.#ping(false);
			this.#timeout = undefined;
			this.#actions.dead();
		}, timeoutMs);
		// A refusal is an answer too. After the end of the connection no answer is awaited.
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
