import type { TopicNames } from './topic-members.ts';
import type { WebSocketConnection } from './websocket-connection.ts';

/** The sockets that a fan-out sends to, and the topics that they are in. */
export interface FanoutSockets {
	get(socketId: string): WebSocketConnection | undefined;
	sockets(): Iterable<WebSocketConnection>;
	topics(): Iterable<string>;
	members(topic: string): Iterable<WebSocketConnection>;
	/** Returns the names that a topic has in Bun. */
	names(topic: string): TopicNames;
	/** Gives all topics other names in Bun. */
	rename(prefix: string): void;
}
