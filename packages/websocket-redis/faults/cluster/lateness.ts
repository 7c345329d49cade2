const EVERY_MS = 10;
/** Delays below this are normal, in milliseconds. */
const NOTED_MS = 20;

interface Delay {
	/** When it ended, by the monotonic clock. */
	readonly at: number;
	readonly ms: number;
}

/** Knows when this process was late: frozen, or without a processor. */
export class Lateness {
	readonly #delays: Delay[] = [];

	constructor() {
		let last = performance.now();
		setInterval(() => {
			const now = performance.now();
			const ms = now - last - EVERY_MS;
			if (ms >= NOTED_MS) this.#delays.push({ at: now, ms });
			last = now;
		}, EVERY_MS);
	}

	/** Returns for how long this process was late since then, in milliseconds. */
	since(from: number): number {
		let sum = 0;
		for (let i = this.#delays.length - 1; i >= 0; i--) {
			const { at, ms } = this.#delays[i] as Delay;
			if (at < from) break;
			sum += ms;
		}
		return Math.ceil(sum);
	}
}
