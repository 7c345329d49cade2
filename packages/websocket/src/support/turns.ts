/** Limits how many tasks run at a time. The others wait, in the order in which they came. */
export class Turns {
	readonly #most: number;
	readonly #waiting: (() => void)[] = [];
	#running = 0;

	constructor(most: number) {
		this.#most = most;
	}

	async run<TResult>(task: () => Promise<TResult>): Promise<TResult> {
		if (this.#running < this.#most) this.#running++;
		else await new Promise<void>((resolve) => this.#waiting.push(resolve));
		try {
			return await task();
		} finally {
			const next = this.#waiting.shift();
			if (next === undefined) this.#running--;
			else next();
		}
	}
}
