import type { Recovery, ResumeFrom } from './history/catch-up.ts';
import type { HistoryPage } from './history/history-page.ts';
import type { Gap } from './loss/gap-events.ts';
import type { InferInput, SocketMessage } from './protocol/message.ts';
import type { Position } from './protocol/position.ts';
import type { PubSubServer } from './sockets/local-fanout.ts';
import type { SlowReaderOptions } from './sockets/slow-readers.ts';
import type { WebSocketConnection } from './sockets/websocket-connection.ts';
import type { ProviderStatus } from './support/provider-status.ts';
import type { Payload } from './wire/payload.ts';

/**
 * What services use to reach clients, on whichever node they are connected to.
 *
 * Every promise may be ignored: it never causes an unhandled rejection. A call that is refused for invalid input is
 * also logged, so that the error is not lost.
 */
export interface SocketEmitter {
	/**
	 * Sends to every socket in `topic`. This node's sockets have it when the call returns; the promise resolves when the
	 * backend has accepted it for the other nodes. Delivered at most once, in order per publisher.
	 *
	 * On a topic with history the message is stored first, and the promise resolves when that is done; every socket on
	 * every node receives it in the same order.
	 *
	 * @throws {InvalidTopicError} {InvalidPayloadError} {ProviderNotStartedError} {ProviderStoppedError} nothing was
	 * sent
	 * @throws {BusUnavailableError} sent to this node's sockets only; on a topic with history either to none or to all
	 * @throws {NoHistoryError} {InvalidIdempotencyKeyError} nothing was sent
	 */
	publish(topic: string, payload: Payload, options?: PublishOptions): Promise<void>;

	/**
	 * Sends to one socket. Ids are compared case-sensitively. An unknown socket is not logged: sockets come and go.
	 *
	 * @throws {UnknownSocketError} no node has that socket, as far as the backend can tell
	 * @throws {MessageDroppedError} its client reads too slowly
	 * @throws {InvalidSocketIdError} {InvalidPayloadError} {ProviderNotStartedError} {ProviderStoppedError}
	 * {BusUnavailableError} nothing was sent
	 */
	send(socketId: string, payload: Payload): Promise<void>;

	/**
	 * Sends to every socket of every node.
	 *
	 * @throws {InvalidPayloadError} {ProviderNotStartedError} {ProviderStoppedError} nothing was sent
	 * @throws {BusUnavailableError} sent to this node's sockets only
	 */
	broadcast(payload: Payload): Promise<void>;

	/**
	 * Validates `data` against the message's schema and publishes `{ name, data, timestamp, topic }` as JSON to `topic`.
	 * Messages to a topic go out in the order of the calls, so that they wait for an earlier one whose schema validates
	 * asynchronously.
	 *
	 * @throws {MessageValidationError} `data` does not match the schema; nothing was sent
	 * @throws everything that `publish` throws
	 */
	emit<TMessage extends SocketMessage>(
		message: TMessage,
		topic: string,
		data: InferInput<TMessage['data']>,
		options?: PublishOptions,
	): Promise<void>;
}

export interface PublishOptions {
	/**
	 * On a topic with history: a message with a key that was used within the last five minutes is not published again.
	 * This makes it safe to retry when it is unknown whether the first attempt succeeded. 1 to 256 characters.
	 */
	readonly idempotencyKey?: string;
}

/** Reads topics with history. */
export interface SocketHistory {
	/**
	 * Returns the messages of a topic right after a position, or its last ones.
	 *
	 * @throws {NoHistoryError} {InvalidTopicError} {InvalidPositionError} {InvalidOptionError} the arguments are invalid
	 * @throws {ProviderNotStartedError} {ProviderStoppedError}
	 * @throws {HistoryUnavailableError} the backend is unavailable
	 */
	history(topic: string, options?: HistoryPageOptions): Promise<HistoryPage>;
}

export interface HistoryPageOptions {
	/** Returns the messages after this position. Default: the last ones are returned. */
	readonly since?: Position | undefined;
	/** The number of messages at most, from 1 to 1,000. Default 100. */
	readonly limit?: number | undefined;
}

/** What a framework calls when the application starts and stops. */
export interface SocketLifecycle {
	/** Resolves when messages from and to every node get through. Rejects when the backend can't be reached in time. */
	start(): Promise<void>;
	/** Sends pending messages, then releases the backend. Idempotent. Sockets stay open: they belong to the server. */
	stop(): Promise<void>;
}

/** Counts of this node. */
export interface SocketMetrics {
	/** Whether this node has the socket. */
	isConnected(socketId: string): boolean;
	/** The number of sockets of this node. */
	getConnectionCount(): number;
	/** The number of this node's sockets in `topic`. */
	getTopicSubscriberCount(topic: string): number;
	/** The number of topics that this node's sockets are subscribed to. */
	getTopicCount(): number;
	/** The number of frames of other nodes that were skipped since the provider was created. */
	getSkippedFrames(): SkippedFrames;
}

/** Skipped frames, by reason. */
export interface SkippedFrames {
	/** Written by a release with another wire format, as during a rolling deploy. */
	readonly 'unknown-version': number;
	/** Not written by this system: something else publishes on its channels. */
	readonly malformed: number;
	/** Sent over a connection that had failed, after newer ones had arrived: they belong to a reported gap. */
	readonly late: number;
}

/** Up to when this node has received what other nodes published, and how far their clocks are from its own. */
export interface Watermark {
	/**
	 * Everything that was published longer ago than this, in milliseconds, has arrived or has been reported as missing. A
	 * fraction of a second while delivery works.
	 */
	readonly lagMs: number;
	/** By how much the clock of another node is behind this node's at most, in milliseconds. */
	readonly clocksBehindMs: number;
	/** By how much the clock of another node is ahead of this node's at most, in milliseconds. */
	readonly clocksAheadMs: number;
}

/** Tells whether messages get through between nodes, and where some may be missing. */
export interface SocketReliability {
	readonly status: ProviderStatus;
	/** Calls `listener` whenever the status changes. Returns the undo. */
	onStatus(listener: (status: ProviderStatus) => void): () => void;
	/**
	 * Calls `listener` once for each topic of this node in which messages may be missing. It is called up to 1,250 ms
	 * after the interruption ended, so that what several nodes report of one outage becomes one gap. Returns the undo.
	 */
	onGap(listener: (gap: Gap) => void): () => void;
	/** Reports the gaps that are held back for now at once. For a server that is about to disconnect its clients. */
	flushGaps(): void;
	/** What a client must know to tell what it missed, if it loses its connection and comes back on any node. */
	watermark(): Watermark;
}

/** Messages between nodes, which reach no socket. */
export interface NodeMessaging {
	/** This node's identity: a UUID v4, new with each provider. */
	readonly nodeId: string;
	/**
	 * Sends a text to one node. Resolves when the backend has accepted it; a node that does not exist goes unnoticed.
	 *
	 * @throws {InvalidNodeIdError} {InvalidPayloadError} {ProviderNotStartedError} {ProviderStoppedError}
	 * {BusUnavailableError} nothing was sent
	 */
	sendToNode(nodeId: string, text: string): Promise<void>;
	/** Calls `listener` with every text that a node, this one included, sends to this node. Returns the undo. */
	onNodeMessage(listener: (text: string) => void): () => void;
}

/** A complete provider: what {@link SocketCoordinator} and `Application` work with. */
export interface WebSocketProvider
	extends SocketEmitter, SocketHistory, SocketLifecycle, SocketMetrics, SocketReliability, NodeMessaging {
	/**
	 * Sets the Bun server that owns the sockets, before or after `start`. Without it, messages are sent socket by
	 * socket.
	 *
	 * @param options how slow clients are handled; default: closed with 1013 once 8 MiB are queued
	 * @throws {InvalidServerError} {InvalidOptionError}
	 */
	setServer(server: PubSubServer, options?: SlowReaderOptions): void;

	/**
	 * Adds a socket: from now on it can be sent to, and counts. Resolves when every node can reach it. Adding a socket
	 * twice is the same as adding it once.
	 *
	 * @throws {InvalidSocketDataError} {InvalidSocketIdError} {InvalidTopicError} {DuplicateSocketError} the socket was
	 * refused, logged and closed with 1011; nothing else was affected
	 * @throws {UnknownSocketError} it is already closed
	 * @throws {SubscribeError} {ProviderStoppedError} it is connected here, but other nodes can't reach it
	 */
	addConnection(socket: WebSocketConnection): Promise<void>;

	/**
	 * Removes a socket from all its topics and forgets it; its `data.topics` still lists them. Returns whether it was
	 * known.
	 */
	removeConnection(socketId: string): boolean;

	/** This node's sockets. They may be closed while iterating. */
	getConnections(): Iterable<WebSocketConnection>;

	getConnection<TData = unknown>(socketId: string): WebSocketConnection<TData> | undefined;

	/**
	 * Subscribes a socket of this node to a topic. Resolves once messages of every node will arrive. Subscribing twice
	 * is the same as subscribing once.
	 *
	 * @throws {InvalidTopicError} {UnknownSocketError} {ProviderStoppedError} nothing was changed
	 * @throws {SubscribeError} the backend refused; the subscription was rolled back
	 * @throws the error of a `start` that fails, or {ProviderStoppedError}, while this is pending; the socket stays in
	 * the topic, and the next `start` subscribes it
	 */
	subscribe(socketId: string, topic: string): Promise<void>;

	/**
	 * Subscribes a socket of this node to a topic with history, after sending it what it missed. Live messages follow
	 * without duplicate, hole or change of order; a `@position` precedes them (see PROTOCOL.md). A socket that is
	 * already in the topic starts over from there. Undefined if it unsubscribed or was resumed again in the meantime.
	 *
	 * @throws {NoHistoryError} {InvalidPositionError} {InvalidOptionError} and everything that `subscribe` throws
	 */
	resume(socketId: string, topic: string, from: ResumeFrom): Promise<Recovery | undefined>;

	/** Whether a topic has history. */
	hasHistory(topic: string): boolean;

	/** Unsubscribes a socket; it will receive no more of the topic's messages. Does nothing if it is not subscribed. */
	unsubscribe(socketId: string, topic: string): Promise<void>;

	/**
	 * Publishes to all subscribers of `topic` but the sender, which is a socket of this node. On a topic with history
	 * the sender receives it as well, because its stream of positions must have no holes.
	 *
	 * @throws {UnknownSocketError} and everything that `publish` throws
	 */
	publishFrom(socketId: string, topic: string, payload: Payload): Promise<void>;

	/** The ids of this node's sockets in `topic`: a snapshot. */
	getTopicSubscribers(topic: string): ReadonlySet<string>;
}
