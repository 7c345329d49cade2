import { Members, type TopicNames } from './topic-members.ts';

/** The part of a socket that the registry keeps up to date. */
export interface RegisteredSocket {
	readonly data: {
		readonly socketId: string;
		readonly topics: ReadonlySet<string>;
		readonly subprotocol?: string | undefined;
		readonly userId?: string | undefined;
	};
}

/**
 * Holds the sockets of this node and the members of its topics. A socket's own list of topics is its `data.topics`,
 * which only the registry changes.
 */
export class Registry<TSocket extends RegisteredSocket> {
	readonly #sockets = new Map<string, TSocket>();
	readonly #members = new Members<TSocket>();
	/** The sockets of each user. */
	readonly #ofUsers = new Members<TSocket>();

	get(socketId: string): TSocket | undefined {
		return this.#sockets.get(socketId);
	}

	has(socketId: string): boolean {
		return this.#sockets.has(socketId);
	}

	sockets(): MapIterator<TSocket> {
		return this.#sockets.values();
	}

	get socketCount(): number {
		return this.#sockets.size;
	}

	topics(): MapIterator<string> {
		return this.#members.topics();
	}

	get topicCount(): number {
		return this.#members.topicCount;
	}

	/** Returns a topic's sockets. Use the result immediately: it changes when sockets join or leave. */
	members(topic: string): Iterable<TSocket> {
		return this.#members.of(topic);
	}

	memberCount(topic: string): number {
		return this.#members.count(topic);
	}

	/** Returns a user's sockets. Use the result immediately: it changes when sockets are added or removed. */
	ofUser(userId: string): Iterable<TSocket> {
		return this.#ofUsers.of(userId);
	}

	/** Gives all topics other names in Bun. @param prefix see {@link claimPrefix} */
	rename(prefix: string): void {
		this.#members.rename(prefix);
	}

	/** Returns the names that a topic has in Bun. Use the result immediately: it changes when sockets join or leave. */
	names(topic: string): TopicNames {
		return this.#members.names(topic);
	}

	/**
	 * Adds a socket. Empties its list of topics and returns the topics that were listed, to which it is not subscribed
	 * yet.
	 */
	add(socket: TSocket): readonly string[] {
		const { data } = socket;
		this.#sockets.set(data.socketId, socket);
		if (data.userId !== undefined) this.#ofUsers.add(data.userId, socket);
		const initial = data.topics?.size === 0 ? NONE : [...(data.topics ?? NONE)];
		(data as { topics: ReadonlySet<string> }).topics = new Set();
		return initial;
	}

	/**
	 * Removes a socket from all its topics. Returns the topics that are now empty. The socket's own `data.topics` still
	 * lists its topics, for the `close` handler.
	 */
	remove(socketId: string): readonly string[] {
		const socket = this.#sockets.get(socketId);
		if (socket === undefined) return NONE;
		this.#sockets.delete(socketId);
		if (socket.data.userId !== undefined) this.#ofUsers.delete(socket.data.userId, socket);
		const emptied: string[] = [];
		for (const topic of socket.data.topics) if (this.#members.delete(topic, socket)) emptied.push(topic);
		return emptied;
	}

	/** Subscribes a socket to a topic. Idempotent. Returns false if the socket was already subscribed. */
	subscribe(socket: TSocket, topic: string): boolean {
		const topics = writable(socket.data.topics);
		if (topics.has(topic)) return false;
		topics.add(topic);
		this.#members.add(topic, socket);
		return true;
	}

	/** Unsubscribes a socket from a topic. Returns whether the topic is now empty. */
	unsubscribe(socket: TSocket, topic: string): boolean {
		return writable(socket.data.topics).delete(topic) && this.#members.delete(topic, socket);
	}
}

const NONE: readonly string[] = [];

/** A socket's `topics` are read-only for all other code. */
function writable(topics: ReadonlySet<string>): Set<string> {
	return topics as Set<string>;
}
