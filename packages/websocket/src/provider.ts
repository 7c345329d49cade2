import type { WebSocketConnection } from './sockets/websocket-connection.ts';
import type { Gap } from './loss/gap-events.ts';
import type { PubSubServer } from './sockets/local-fanout.ts';
import type { Recovery, ResumeFrom } from './history/catch-up.ts';
import type { HistoryPage } from './history/histories.ts';
import type { Payload } from './wire/payload.ts';
import type { Position } from './protocol/position.ts';
import type { InferInput, SocketMessage } from './protocol/message.ts';
import type { SlowReaderOptions } from './sockets/slow-readers.ts';
import type { ProviderStatus } from './support/status.ts';

/**
 * What services use to reach clients, on whichever node those are.
 *
 * Every promise may be left alone: one that nobody awaits never causes an unhandled rejection; what is refused for bad input is
 * also logged, so that it is not lost on anybody.
 */
export interface SocketEmitter {
	/**
	 * Sends to every socket in `topic`. The sockets of this node have it when the call returns; the promise resolves when the
	 * backend has accepted it for the others. At most once, in order per publisher.
	 *
	 * On a topic with history it is stored first, and resolves when that is done; every socket, on every node, gets it in the same order.
	 *
	 * @throws {InvalidTopicError} {InvalidPayloadError} {ProviderNotStartedError} {ProviderStoppedError} nothing was sent
	 * @throws {BusUnavailableError} this node's sockets got it, other nodes' did not; on a topic with history nobody did, or all
	 * @throws {NoHistoryError} {InvalidIdempotencyKeyError} nothing was sent
	 */
	publish(topic: string, payload: Payload, options?: PublishOptions): Promise<void>;

	/**
	 * Sends to one socket. Ids are compared as they are written. That nobody has the socket is not logged: sockets come and go.
	 *
	 * @throws {UnknownSocketError} no node has that socket, as far as the backend can tell
	 * @throws {MessageDroppedError} its client reads too slowly
	 * @throws {InvalidSocketIdError} {InvalidPayloadError} {ProviderNotStartedError} {ProviderStoppedError} {BusUnavailableError}
	 */
	send(socketId: string, payload: Payload): Promise<void>;

	/**
	 * Sends to every socket of every node.
	 *
	 * @throws {InvalidPayloadError} {ProviderNotStartedError} {ProviderStoppedError} {BusUnavailableError}
	 */
	broadcast(payload: Payload): Promise<void>;

	/**
	 * Validates `data` against the message's schema and publishes `{ name, data, timestamp, topic }` as JSON to `topic`.
	 *
	 * @throws {MessageValidationError} `data` does not fit the schema; nothing was sent
	 * @throws whatever `publish` throws
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
	 * On a topic with history: what was published with this key within the last five minutes is not published again, so that to try again
	 * is safe where it is not known whether it was. 1 to 256 characters of text.
	 */
	readonly idempotencyKey?: string;
}

/** What can be asked of topics with history. */
export interface SocketHistory {
	/**
	 * The messages of a topic right after a position, or its last ones.
	 *
	 * @throws {NoHistoryError} {InvalidTopicError} {InvalidPositionError} {ProviderNotStartedError} {ProviderStoppedError}
	 * @throws {HistoryUnavailableError} the backend is away
	 */
	history(topic: string, options?: HistoryPageOptions): Promise<HistoryPage>;
}

export interface HistoryPageOptions {
	/** Up to where they are known. Default: the last ones are returned. */
	readonly since?: Position | undefined;
	/** How many at most, from 1 to 1,000. Default 100. */
	readonly limit?: number | undefined;
}

/** What a framework calls around the application's life. */
export interface SocketLifecycle {
	/** Resolves when messages from and to every node pass. Rejects when the backend can't be reached in time. */
	start(): Promise<void>;
	/** Sends what waits, then lets go of the backend. Idempotent. Sockets stay open; they are the server's. */
	stop(): Promise<void>;
}

/** What can be asked about this node's sockets. */
export interface SocketMetrics {
	/** Whether this node has the socket. */
	isConnected(socketId: string): boolean;
	/** How many sockets this node has. */
	getConnectionCount(): number;
	/** How many of this node's sockets are in `topic`. */
	getTopicSubscriberCount(topic: string): number;
	/** How many topics this node's sockets are in. */
	getTopicCount(): number;
	/** Frames of other nodes that could not be read, since the provider was made. */
	getSkippedFrames(): SkippedFrames;
}

/** Frames that could not be read, counted by why. */
export interface SkippedFrames {
	/** Written by a release with another wire format, as during a rolling deploy. */
	readonly 'unknown-version': number;
	/** Not written by this system: something else publishes on its channels. */
	readonly malformed: number;
	/** Arrived after the connection that published them had failed and newer ones had come: they belong to a reported gap. */
	readonly late: number;
}

/** What tells whether messages pass between nodes, and where some may be missing. */
export interface SocketReliability {
	readonly status: ProviderStatus;
	/** Calls `listener` whenever the status changes. Returns the undo. */
	onStatus(listener: (status: ProviderStatus) => void): () => void;
	/**
	 * Calls `listener` once for each topic of this node in which messages may be missing, when an interruption is over: up to
	 * 1,250 ms after that, so that what several nodes say of one outage is one gap. Returns the undo.
	 */
	onGap(listener: (gap: Gap) => void): () => void;
}

/** What the nodes tell each other for themselves, with no socket concerned. */
export interface NodeMessaging {
	/** This node's identity: a UUID v4, new with each provider. */
	readonly nodeId: string;
	/**
	 * Tells one node something. Resolves when the backend has accepted it; that the node is gone is not noticed.
	 *
	 * @throws {InvalidNodeIdError} {InvalidPayloadError} {ProviderNotStartedError} {ProviderStoppedError} {BusUnavailableError}
	 */
	sendToNode(nodeId: string, text: string): Promise<void>;
	/** Calls `listener` with what other nodes, or this one, tell this node. Returns the undo. */
	onNodeMessage(listener: (text: string) => void): () => void;
}

/** A complete provider: what {@link SocketCoordinator} and `Application` work with. */
export interface WebSocketProvider
	extends SocketEmitter, SocketHistory, SocketLifecycle, SocketMetrics, SocketReliability, NodeMessaging {
	/**
	 * The server whose sockets these are. May be called before or after `start`; without it messages go out socket by socket.
	 *
	 * @param options what is done about clients that read too slowly; default: they are disconnected with 1013 at 8 MiB
	 * @throws {InvalidServerError} {InvalidOptionError}
	 */
	setServer(server: PubSubServer, options?: SlowReaderOptions): void;

	/**
	 * Takes in a socket: from now on it can be sent to, and counts. Resolves when every node can reach it. Adding a socket twice
	 * is adding it once.
	 *
	 * @throws {InvalidSocketDataError} {InvalidSocketIdError} {InvalidTopicError} {DuplicateSocketError} the socket was refused:
	 * logged and closed with 1011; nothing else was touched
	 * @throws {UnknownSocketError} it was closed already
	 * @throws {SubscribeError} {ProviderStoppedError} it is connected here, but other nodes can't reach it
	 */
	addConnection(socket: WebSocketConnection): Promise<void>;

	/**
	 * Forgets a socket and all its topics; its `data.topics` goes on listing what it was in. Returns whether it was known.
	 */
	removeConnection(socketId: string): boolean;

	/** This node's sockets; closing them while iterating is fine. */
	getConnections(): Iterable<WebSocketConnection>;

	getConnection<TData = unknown>(socketId: string): WebSocketConnection<TData> | undefined;

	/**
	 * Puts a socket of this node into a topic. Resolves once messages from every node will arrive. Subscribing twice is
	 * subscribing once.
	 *
	 * @throws {InvalidTopicError} {UnknownSocketError} {ProviderStoppedError} nothing was changed
	 * @throws {SubscribeError} the backend refused; rolled back
	 * @throws whatever made `start` fail, or {ProviderStoppedError}, when that comes while it waits; the socket stays in the topic,
	 * and the next `start` makes it true
	 */
	subscribe(socketId: string, topic: string): Promise<void>;

	/**
	 * Puts a socket of this node into a topic with history, as `subscribe` does, after it was sent what it missed. What it gets then follows
	 * that without anything twice, missing or out of order; right before it comes a `@position` (see PROTOCOL.md). A socket that is in the topic
	 * already begins anew from there. Undefined if it left meanwhile, or was resumed again.
	 *
	 * @throws {NoHistoryError} {InvalidPositionError} and whatever `subscribe` throws
	 */
	resume(socketId: string, topic: string, from: ResumeFrom): Promise<Recovery | undefined>;

	/** Whether a topic has history. */
	hasHistory(topic: string): boolean;

	/** Takes a socket out of a topic; no message for it will arrive any more. Leaving a topic one is not in is no error. */
	unsubscribe(socketId: string, topic: string): Promise<void>;

	/**
	 * Like `publish`, to everyone in `topic` but the socket that says it, which is one of this node's. On a topic with history it gets its own
	 * messages as well: what follows one another can have no holes.
	 *
	 * @throws {UnknownSocketError} and whatever `publish` throws
	 */
	publishFrom(socketId: string, topic: string, payload: Payload): Promise<void>;

	/** The ids of this node's sockets in `topic`, as of now. */
	getTopicSubscribers(topic: string): ReadonlySet<string>;
}
