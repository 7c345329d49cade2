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
	 * How long after its connection began (`data.connectedAt`) a socket may be added, in milliseconds: a user who is
	 * disconnected meanwhile is so too. Default 10,000.
	 */
	readonly guardTimeoutMs?: number;
}
