/** Distinguishes new gap notices of other nodes from repeated ones. */
export class ReceivedGapNotices {
	readonly #rememberMs: number;
	readonly #receivedAt = new Map<string, number>();

	/** @param rememberMs how long a notice is remembered, in milliseconds: as long as it may be repeated */
	constructor(rememberMs: number) {
		this.#rememberMs = rememberMs;
	}

	/** Returns whether the notice is new, and remembers it. */
	isNew(key: string, now: number): boolean {
		for (const [old, at] of this.#receivedAt) {
			if (now - at <= this.#rememberMs) break;
			this.#receivedAt.delete(old);
		}
		if (this.#receivedAt.has(key)) return false;
		this.#receivedAt.set(key, now);
		return true;
	}
}
