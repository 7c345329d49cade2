import type { WebSocketConnection } from './websocket-connection.ts';
import type { SlowReaderOptions } from './slow-readers.ts';

/** The part of Bun's server that fan-out needs. */
export interface PubSubServer {
	publish(topic: string, data: string | Bun.BufferSource, compress?: boolean): number;
	/**
	 * Without it, a message to a topic without plain sockets is also published for any that the application may have
	 * subscribed in Bun itself, and a topic's sockets are counted one by one after messages that Bun could not send at
	 * once.
	 */
	subscriberCount?(topic: string): number;
}

/** How messages are sent to the sockets of a server. */
export interface ServerOptions extends SlowReaderOptions {
	/**
	 * Whether no socket of the server is subscribed in Bun except by its providers, as with the sockets of an endpoint.
	 * Then, a message to a topic without plain sockets need not be published for them. Default false.
	 */
	readonly subscribesAlone?: boolean;
	/**
	 * The smallest message that is compressed, in bytes (for text, in characters), for clients that have negotiated
	 * permessage-deflate, which needs `perMessageDeflate` in the server's `websocket`. Bun compresses a message again
	 * for each of its receivers. Default: as Bun does by itself, which compresses what is published, and nothing else.
	 */
	readonly compressFromBytes?: number;
	/**
	 * How long clients may be in guards, before their sockets are added, in milliseconds. For so long, actions on users
	 * are kept for them (`provider.cluster`). Of several calls, the longest counts. Default 10,000.
	 */
	readonly guardTimeoutMs?: number;
	/**
	 * Returns a client's address, for `provider.cluster.connections`, such as the one that a proxy has passed on;
	 * undefined if it is that of the connection. Must not throw. Default: that of the connection.
	 */
	readonly addressOf?: (socket: WebSocketConnection) => string | undefined;
}
