export interface KeepAliveOptions {
	readonly intervalMs: number;
	readonly timeoutMs: number;
}

export interface KeepAliveActions {
	/** Resolves once the server has answered. Rejects when the connection is over, or the server refused. */
	ping(): Promise<void>;
	/** It has not answered in time. */
	dead(): void;
}

/** Finds out whether the other side is still there. */
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

	/** Asks now, unless an answer is awaited already. */
	beat(): void {
		if (this.#timeout === undefined && !this.#isStopped) this.#ask(true);
	}

	/** @param isFirst whether this is not the second time that it asks because the first one was no fair trial */
	#ask(isFirst: boolean): void {
		const { timeoutMs } = this.#options;
		const askedAt = Date.now();
		this.#timeout = setTimeout(() => {
			// The device slept, or the page was frozen: the answer may just not have been read yet. In a tab that was hidden for long every
			// timer is late, so this is done once.
			if (isFirst && Date.now() - askedAt > 2 * timeoutMs) return this.#ask(false);
			this.#timeout = undefined;
			this.#actions.dead();
		}, timeoutMs);
		// A refusal is an answer, too; and once the connection has ended none is awaited.
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
