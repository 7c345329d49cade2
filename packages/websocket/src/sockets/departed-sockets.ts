/** At least this many departed sockets are remembered, and at most twice as many. */
const REMEMBERED = 2_048;

/**
 * Remembers which sockets have left most recently. A call for one of them comes from a handler that has not noticed
 * yet; a call for any other unknown socket is a mistake.
 */
export class DepartedSockets {
	#recent = new Set<string>();
	#older = new Set<string>();

	add(socketId: string): void {
		if (this.#recent.size >= REMEMBERED) {
			this.#older = this.#recent;
			this.#recent = new Set();
		}
		this.#recent.add(socketId);
	}

	has(socketId: string): boolean {
		return this.#recent.has(socketId) || this.#older.has(socketId);
	}
}
