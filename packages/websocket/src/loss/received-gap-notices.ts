/** How long a gap notice is remembered, in milliseconds, to recognise its repetitions. */
const REMEMBER_MS = 600_000;

/** Distinguishes new gap notices of other nodes from repeated ones. */
export class ReceivedGapNotices {
	readonly #receivedAt = new Map<string, number>();

	/** Returns whether the notice is new, and remembers it. */
	isNew(key: string, now: number): boolean {
		for (const [old, at] of this.#receivedAt) {
			if (now - at <= REMEMBER_MS) break;
			this.#receivedAt.delete(old);
		}
		if (this.#receivedAt.has(key)) return false;
		this.#receivedAt.set(key, now);
		return true;
	}
}
