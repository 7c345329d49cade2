/**
 * The members of each topic, by socket id. Many topics never have more than one, such as a user's own topic: that one
 * is kept without a set, in a fifth of the memory.
 */
export class Members {
	readonly #byTopic = new Map<string, string | Set<string>>();

	/** Topics that have members. */
	topics(): MapIterator<string> {
		return this.#byTopic.keys();
	}

	get topicCount(): number {
		return this.#byTopic.size;
	}

	/** Returns the topic's members. Read the result at once: it may change with them. */
	of(topic: string): Iterable<string> {
		const members = this.#byTopic.get(topic);
		return typeof members === 'object' ? members : members === undefined ? NO_MEMBERS : [members];
	}

	count(topic: string): number {
		const members = this.#byTopic.get(topic);
		return typeof members === 'object' ? members.size : members === undefined ? 0 : 1;
	}

	/** Adds a socket that is not a member yet. */
	add(topic: string, socketId: string): void {
		const members = this.#byTopic.get(topic);
		if (members === undefined) this.#byTopic.set(topic, socketId);
		else if (typeof members === 'object') members.add(socketId);
		else this.#byTopic.set(topic, new Set([members, socketId]));
	}

	/** Returns whether the topic is now empty. */
	delete(topic: string, socketId: string): boolean {
		const members = this.#byTopic.get(topic);
		if (typeof members === 'object') {
			if (!members.delete(socketId) || members.size > 0) return false;
		} else if (members !== socketId) {
			return false;
		}
		return this.#byTopic.delete(topic);
	}
}

const NO_MEMBERS: readonly string[] = [];
