import { Remembered } from '../support/remembered.ts';

/** Distinguishes new gap notices of other nodes from repeated ones. */
export class ReceivedGapNotices {
	readonly #received: Remembered<true>;

	/** @param rememberMs how long a notice is remembered, in milliseconds: as long as it may be repeated */
	constructor(rememberMs: number) {
		this.#received = new Remembered(rememberMs);
	}

	/** Returns whether the notice is new, and remembers it. */
	isNew(key: string): boolean {
		if (this.#received.get(key) !== undefined) return false;
		this.#received.set(key, true);
		return true;
	}
}
