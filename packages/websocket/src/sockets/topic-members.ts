/**
 * The members of each topic, as socket ids. Many topics, such as a user's own, never have more than one member. A
 * single member is stored without a set, in a fifth of the memory.
 */
export class Members {
	readonly #byTopic = new Map<string, string | Set<string>>();

	/** Returns the topics that have members. */
	topics(): MapIterator<string> {
		return this.#byTopic.keys();
	}

	get topicCount(): number {
		return this.#byTopic.size;
	}

	/** Returns the topic's members. Use the result at once: it changes when sockets join or leave. */
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

	/** Removes a socket. Returns whether the topic is now empty. */
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
