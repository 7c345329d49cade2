/** Calls something again after a delay, which doubles each time: 1 to 2 seconds at first, 30 to 60 at most. */
export class Backoff {
	#timer: ReturnType<typeof setTimeout> | undefined;
	#delays = 0;

	/** Whether there is a call to come. */
	get isWaiting(): boolean {
		return this.#timer !== undefined;
	}

	/** Calls `call` later, unless there is a call to come already. */
	postpone(call: () => void): void {
		this.#timer ??= setTimeout(
			() => {
				this.#timer = undefined;
				call();
			},
			// At random, because many clients may have been refused at the same time.
			Math.min(30_000, 1_000 * 2 ** this.#delays++) * (1 + Math.random()),
		);
	}

	/** Must be called when it has succeeded, or is no longer wanted: there is no call to come then. */
	reset(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#delays = 0;
	}
}
