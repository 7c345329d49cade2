import type { FanoutSockets } from '../sockets/fanout-sockets.ts';
import { Members, type TopicNames } from '../sockets/topic-members.ts';
import type { WebSocketConnection } from '../sockets/websocket-connection.ts';

/** The sockets that watch topics. */
export class WatchingSockets implements FanoutSockets {
	readonly #members = new Members<WebSocketConnection>();
	readonly #sockets = new Map<string, { readonly socket: WebSocketConnection; readonly topics: Set<string> }>();

	/** Adds a socket. Returns false if it watches the topic already. */
	add(socket: WebSocketConnection, topic: string): boolean {
		const { socketId } = socket.data;
		let watching = this.#sockets.get(socketId);
		if (watching === undefined) this.#sockets.set(socketId, (watching = { socket, topics: new Set() }));
		if (watching.topics.has(topic)) return false;
		watching.topics.add(topic);
		this.#members.add(topic, socket);
		return true;
	}

	/** Removes a socket. Returns false if it does not watch the topic. */
	delete(socketId: string, topic: string): boolean {
		const watching = this.#sockets.get(socketId);
		if (watching?.topics.delete(topic) !== true) return false;
		if (watching.topics.size === 0) this.#sockets.delete(socketId);
		this.#members.delete(topic, watching.socket);
		return true;
	}

	has(socketId: string, topic: string): boolean {
		return this.#sockets.get(socketId)?.topics.has(topic) === true;
	}

	isWatched(topic: string): boolean {
		return this.#members.count(topic) > 0;
	}

	topicsOf(socketId: string): ReadonlySet<string> {
		return this.#sockets.get(socketId)?.topics ?? NONE;
	}

	// For the fan-out

	get(socketId: string): WebSocketConnection | undefined {
		return this.#sockets.get(socketId)?.socket;
	}

	*sockets(): Generator<WebSocketConnection> {
		for (const { socket } of this.#sockets.values()) yield socket;
	}

	topics(): Iterable<string> {
		return this.#members.topics();
	}

	members(topic: string): Iterable<WebSocketConnection> {
		return this.#members.of(topic);
	}

	names(topic: string): TopicNames {
		return this.#members.names(topic);
	}

	rename(prefix: string): void {
		this.#members.rename(prefix);
	}
}

const NONE: ReadonlySet<string> = new Set();
