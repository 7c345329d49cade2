/** Counts the topics that this node needs without having a socket in them yet. */
export class PreparedTopics {
	readonly #counts = new Map<string, number>();

	topics(): Iterable<string> {
		return this.#counts.keys();
	}

	has(topic: string): boolean {
		return this.#counts.has(topic);
	}

	add(topic: string): void {
		this.#counts.set(topic, (this.#counts.get(topic) ?? 0) + 1);
	}

	/** Returns whether the topic is no longer needed. */
	remove(topic: string): boolean {
		const left = (this.#counts.get(topic) ?? 0) - 1;
		if (left <= 0) return this.#counts.delete(topic);
		this.#counts.set(topic, left);
		return false;
	}
}
