import type { Cluster, Reauthorizer } from './cluster/cluster-contract.ts';
import type { Recovery, ResumeFrom } from './history/catch-up.ts';
import type { HistoryPage } from './history/history-page.ts';
import type { EncodedPage } from './history/shared-pages.ts';
import type { Gap } from './loss/gap-events.ts';
import type { InferInput, SocketMessage } from './protocol/message.ts';
import type { Position } from './protocol/position.ts';
import type { Presence, SocketPresence } from './presence/presence-contract.ts';
import type { PubSubServer, ServerOptions } from './sockets/pub-sub-server.ts';
import type { WebSocketConnection } from './sockets/websocket-connection.ts';
import type { ProviderStatus } from './support/provider-status.ts';
import type { Payload } from './wire/payload.ts';

/**
 * Sends messages to clients, whichever node they are connected to. Plain clients receive text and bytes unchanged. For
 * clients that speak the protocol, those that they could mistake for a frame are put into one, and arrive as the same
 * text or bytes.
 *
 * Every promise may be ignored: none of them causes an unhandled rejection. The error of a call whose promise is
 * ignored is logged, so that it is not lost. If the promise is awaited, the error is not logged.
 */
export interface SocketEmitter {
	/**
	 * Publishes a message to every socket in `topic`. When the call returns, the message has been sent to this node's
	 * sockets; the promise resolves when the backend has accepted it for the other nodes. A message is delivered at most
	 * once. Messages of one publisher are delivered in the order of its calls.
	 *
	 * On a topic with history, the message is stored first, and the promise resolves when it is stored. All sockets on
	 * all nodes receive the topic's messages in the same order.
	 *
	 * @throws {InvalidTopicError} {InvalidPayloadError} {ProviderNotStartedError} {ProviderStoppedError} nothing was
	 * sent
	 * @throws {BusUnavailableError} the message was sent to this node's sockets, but perhaps not to those of other
	 * nodes; on a topic with history, it was sent either to all sockets or to none
	 * @throws {NoHistoryError} {InvalidIdempotencyKeyError} nothing was sent
	 * @throws {InvalidExceptError} {ExceptWithHistoryError} nothing was sent
	 */
	publish(topic: string, payload: Payload, options?: PublishOptions): Promise<void>;

	/**
	 * Sends a message to one socket, on any node. Ids are case-sensitive. A message to an unknown socket is not logged:
	 * sockets come and go.
	 *
	 * @throws {UnknownSocketError} no node has that socket, as far as the backend can tell
	 * @throws {MessageDroppedError} the client reads too slowly
	 * @throws {InvalidSocketIdError} {InvalidPayloadError} {ProviderNotStartedError} {ProviderStoppedError} nothing was
	 * sent
	 * @throws {BusUnavailableError} the backend did not confirm the message, which may not have been sent
	 */
	send(socketId: string, payload: Payload): Promise<void>;

	/**
	 * Sends a message to every socket of every node.
	 *
	 * @throws {InvalidPayloadError} {ProviderNotStartedError} {ProviderStoppedError} nothing was sent
	 * @throws {BusUnavailableError} the message was sent to this node's sockets, but perhaps not to those of other nodes
	 */
	broadcast(payload: Payload): Promise<void>;

	/**
	 * Validates `data` against the message's schema and publishes `{ name, data, timestamp, topic }` as JSON to `topic`.
	 * Messages to a topic are sent in the order of the calls: each waits until the ones before it have been validated,
	 * which can be asynchronous.
	 *
	 * Dates and bytes in `data` arrive as such.
	 *
	 * @throws {MessageValidationError} `data` does not match the schema; nothing was sent
	 * @throws {UnsupportedValueError} `data` has a value that can't be sent, such as NaN or a Map
	 * @throws {InvalidMessageDefinitionError} `message` is not a definition with a schema
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
	 * For topics with history: a key of 1 to 256 characters that identifies the message. If a message with this key was
	 * published to the topic within the last five minutes, this one is ignored. This makes it safe to retry when it is
	 * unknown whether the first attempt succeeded.
	 */
	readonly idempotencyKey?: string;
	/**
	 * For topics without history: the id of a socket, of any node, that the message is not sent to, or an array of up to
	 * 100 ids. Ids of sockets that are not in the topic, or not connected, have no effect. Other messages keep their
	 * order. On a topic with history, the call is refused: all its subscribers get the same sequence.
	 */
	readonly except?: string | readonly string[];
}

/** Who changes a subscription: the server by its own decision, or the client by a request. */
export type ChangedBy = 'server' | 'client';

export interface SubscribeOptions {
	/**
	 * With `server`, a client that speaks the protocol is told by `@subscribed`. With `client`, it is not: the answer to
	 * its request tells it. Default `server`.
	 */
	readonly by?: ChangedBy;
	/**
	 * For topics with history: whether the client may be sent earlier messages. If false, it receives only those that
	 * follow, whatever position it claims to have. Default true.
	 */
	readonly past?: boolean;
}

export interface UnsubscribeOptions {
	/**
	 * With `server`, a client that speaks the protocol is told by `@unsubscribed`. With `client`, it is not. Default
	 * `server`.
	 */
	readonly by?: ChangedBy;
	/**
	 * What the client is told: 1 to 64 characters from `a-z 0-9 _`, beginning with a letter, such as `kicked`. Default
	 * `unsubscribed`.
	 */
	readonly code?: string;
	/** The text that the client is told. Default: that the server has unsubscribed it. */
	readonly message?: string;
}

/** Why a socket is no longer subscribed to a topic. */
export interface Unsubscription {
	readonly by: ChangedBy;
	readonly code: string;
	readonly message: string;
}

/** Called synchronously, when a socket's subscriptions have changed. Must not throw. */
export interface MembershipListener {
	/** Also called if the server subscribes a socket that is subscribed already; then, `isNew` is false. */
	subscribed(socket: WebSocketConnection, topic: string, by: ChangedBy, isNew: boolean): void;
	/** Not called for sockets that are removed; their `data.topics` still lists their topics. */
	unsubscribed(socket: WebSocketConnection, topic: string, why: Unsubscription): void;
}

/** Reads topics with history. */
export interface SocketHistory {
	/**
	 * Returns the messages that follow a position in a topic, those before or up to a position, or the topic's latest
	 * messages.
	 *
	 * @throws {NoHistoryError} {InvalidTopicError} {InvalidPositionError} {InvalidOptionError} the arguments are invalid
	 * @throws {ProviderNotStartedError} {ProviderStoppedError}
	 * @throws {HistoryUnavailableError} the backend is unavailable
	 */
	history(topic: string, options?: HistoryPageOptions): Promise<HistoryPage>;
}

export interface HistoryPageOptions {
	/**
	 * Return the oldest messages after this position. Of `since`, `before` and `upTo`, only one may be given; without
	 * any, the latest messages are returned.
	 */
	readonly since?: Position | undefined;
	/**
	 * Return the latest messages before the one at this position. To page backwards, pass the `position` of the first
	 * message of the page read last.
	 */
	readonly before?: Position | undefined;
	/** Return the latest messages up to and including the one at this position. */
	readonly upTo?: Position | undefined;
	/** The maximum number of messages, from 1 to 1,000. Default 100. */
	readonly limit?: number | undefined;
}

export interface EncodedPageOptions extends HistoryPageOptions {
	/**
	 * The maximum size of all contents, in bytes, with text as UTF-8. A larger message is a page of its own. The JSON is
	 * larger, by up to 200 bytes and the topic's name for each message, and by a third for bytes.
	 */
	readonly bytes: number;
}

/** The part of a provider that a framework calls when the application starts and stops. */
export interface SocketLifecycle {
	/**
	 * Starts the provider. Resolves when messages to and from every node get through; rejects if the backend can't be
	 * reached in time.
	 */
	start(): Promise<void>;
	/** Sends pending messages, then releases the backend. Idempotent. Sockets stay open: they belong to the server. */
	stop(): Promise<void>;
}

/** The metrics of this node. */
export interface SocketMetrics {
	/** Returns whether the socket is connected to this node. */
	isConnected(socketId: string): boolean;
	/** Returns the number of sockets of this node. */
	getConnectionCount(): number;
	/** Returns the number of this node's sockets in `topic`. */
	getTopicSubscriberCount(topic: string): number;
	/** Returns the number of topics that this node's sockets are subscribed to. */
	getTopicCount(): number;
	/** Returns how many frames from other nodes were skipped since the provider was created. */
	getSkippedFrames(): SkippedFrames;
}

/** The number of skipped frames, by reason. */
export interface SkippedFrames {
	/** Frames of a release with a different wire format, as seen during a rolling deployment. */
	readonly 'unknown-version': number;
	/** Frames that were not written by this system: something else publishes on its channels. */
	readonly malformed: number;
	/** Frames of a failed connection that arrived after frames of its successor. They belong to a reported gap. */
	readonly late: number;
	/** With a `secret`: frames without a signature. They come from a node without a secret, or from something else. */
	readonly unsigned: number;
	/** With a `secret`: frames whose signature is wrong. A node has another secret, or something else publishes. */
	readonly forged: number;
	/**
	 * With a `secret`: frames that have arrived before, or were signed more than a minute before or after this node's
	 * time. Somebody has recorded them, or the nodes' clocks differ.
	 */
	readonly replayed: number;
}

/** How far this node lags behind what other nodes publish, and how far their clocks differ from its own. */
export interface Watermark {
	/**
	 * Everything that was published longer ago than this, in milliseconds, has arrived or has been reported as missing.
	 * While delivery works, less than a second; where beats are collected, less than 6 seconds.
	 */
	readonly lagMs: number;
	/** Whether `lagMs` is more than it is while delivery works: not everything may have arrived. */
	readonly isLagging: boolean;
	/** The most that the clock of another node is behind this node's, in milliseconds. */
	readonly clocksBehindMs: number;
	/** The most that the clock of another node is ahead of this node's, in milliseconds. */
	readonly clocksAheadMs: number;
}

/**
 * Reports whether messages get through between nodes, and in which topics messages may be missing. Listeners may be
 * asynchronous; the error of one that throws or rejects is logged.
 */
export interface SocketReliability {
	readonly status: ProviderStatus;
	/**
	 * Calls `listener` whenever the status changes. Returns a function that removes the listener.
	 *
	 * @throws {InvalidOptionError} the listener is not a function
	 */
	onStatus(listener: (status: ProviderStatus) => unknown): () => void;
	/**
	 * Calls `listener` for each topic of this node in which messages may be missing, once per interruption. The call is
	 * made up to 1,250 ms after the interruption has ended, so that the reports of several nodes about one outage can be
	 * combined. Returns a function that removes the listener.
	 *
	 * @throws {InvalidOptionError} the listener is not a function
	 */
	onGap(listener: (gap: Gap) => unknown): () => void;
	/**
	 * Reports the gaps that are being held back, without waiting any longer. Call it before disconnecting the clients of
	 * a server.
	 */
	flushGaps(): void;
	/** Returns the values from which a client that loses its connection can compute what it missed. */
	watermark(): Watermark;
}

/** Messages from node to node, which are not delivered to sockets. */
export interface NodeMessaging {
	/** This node's identity: a UUID v4, different for each provider. */
	readonly nodeId: string;
	/**
	 * Sends text to one node. Resolves when the backend has accepted it, even if that node does not exist. The text must
	 * not begin with `#`, as the provider's own do. For typed messages, see {@link Cluster}.
	 *
	 * @throws {InvalidNodeIdError} {InvalidPayloadError} {InvalidOptionError} {ProviderNotStartedError}
	 * {ProviderStoppedError} nothing was sent
	 * @throws {BusUnavailableError} the backend did not confirm the message, which may not have been sent
	 */
	sendToNode(nodeId: string, text: string): Promise<void>;
	/**
	 * Sends text to the node that a socket is connected to, in order with what `send` sends to that socket. The socket
	 * may have left when the text arrives: it is passed to that node's listeners all the same.
	 *
	 * @throws {UnknownSocketError} no node has that socket, as far as the backend can tell
	 * @throws {InvalidSocketIdError} {InvalidPayloadError} {InvalidOptionError} {ProviderNotStartedError}
	 * {ProviderStoppedError} nothing was sent
	 * @throws {BusUnavailableError} the backend did not confirm the message, which may not have been sent
	 */
	sendToNodeOf(socketId: string, text: string): Promise<void>;
	/**
	 * Calls `listener` with every text that any node, this one included, sends to this node. Returns a function that
	 * removes the listener.
	 *
	 * @throws {InvalidOptionError} the listener is not a function
	 */
	onNodeMessage(listener: (text: string) => unknown): () => void;
}

/** A complete provider, as used by {@link SocketCoordinator} and `Application`. */
export interface WebSocketProvider
	extends SocketEmitter, SocketHistory, SocketLifecycle, SocketMetrics, SocketReliability, NodeMessaging {
	/** All nodes as one: actions on sockets wherever they are connected, and messages between nodes. */
	readonly cluster: Cluster;

	/** Who is in the topics whose presence is kept. */
	readonly presence: Presence;

	/** For frameworks: the presence of this node's sockets. */
	readonly socketPresence: SocketPresence;

	/**
	 * For frameworks: calls `reauthorizer` for the sockets of this node that `cluster.reauthorize` is about. Returns a
	 * function that removes it.
	 *
	 * @throws {InvalidOptionError} it is not a function
	 */
	onReauthorize(reauthorizer: Reauthorizer): () => void;

	/**
	 * Sets the Bun server that owns the sockets, before or after `start`. Without it, messages are sent socket by
	 * socket.
	 *
	 * @param options how to handle slow clients, by default closed with 1013 once more than 8 MiB are queued; and which
	 * messages to compress
	 * @throws {InvalidServerError} {InvalidOptionError}
	 */
	setServer(server: PubSubServer, options?: ServerOptions): void;

	/**
	 * Adds a socket: from now on, it receives messages and is included in the counts. Resolves when every node can reach
	 * it, which takes at least until `start` has completed. Adding a socket twice is the same as adding it once. If the
	 * socket's user was disconnected (`cluster`) since `data.connectedAt`, it is disconnected during the call.
	 *
	 * @throws {InvalidSocketDataError} {InvalidSocketIdError} {InvalidUserIdError} {InvalidTopicError}
	 * {DuplicateSocketError} the socket was rejected and closed with 1011; nothing else was affected
	 * @throws {InvalidSocketError} it is not a socket
	 * @throws {UnknownSocketError} the socket is already closed
	 * @throws {SubscribeError} {ProviderStoppedError} the socket was added on this node, but other nodes can't reach it
	 */
	addConnection(socket: WebSocketConnection): Promise<void>;

	/**
	 * Removes a socket from this node and from all its topics; its `data.topics` still lists them. Returns whether the
	 * socket was connected.
	 */
	removeConnection(socketId: string): boolean;

	/**
	 * Calls `run`, and sends clients the resulting `@subscribed` and `@unsubscribed` before it returns, instead of at
	 * the end of the turn. For what a server does when it opens a connection: what is sent in Bun's `open` handler is
	 * written together with the handshake.
	 *
	 * @returns what `run` returns
	 */
	batchMembership<TResult>(run: () => TResult): TResult;

	/** Returns this node's sockets. They may be closed during the iteration. */
	getConnections(): Iterable<WebSocketConnection>;

	/** Returns a socket of this node; undefined if it is not connected. */
	getConnection<TData = unknown>(socketId: string): WebSocketConnection<TData> | undefined;

	/**
	 * Subscribes a socket of this node to a topic. Resolves once messages from every node will arrive, or if the socket
	 * is unsubscribed or closes before that. Subscribing twice is the same as subscribing once. While the provider is
	 * starting, the call waits for the start to complete. While the backend is away, it waits for that.
	 *
	 * A client that speaks the protocol is told by `@subscribed` before the promise resolves, unless it has asked for
	 * the topic itself. Without history, messages of this node's publishers reach it at once; with history, all messages
	 * follow the notice.
	 *
	 * @param options who subscribes the socket, and whether it may have the past
	 * @throws {InvalidTopicError} {InvalidOptionError} {InvalidSocketIdError} {UnknownSocketError}
	 * {ProviderNotStartedError} {ProviderStoppedError} nothing was changed
	 * @throws {SubscribeError} {HistoryUnavailableError} the backend refused, or the topic's history can't be read; the
	 * socket was unsubscribed, which its client is told with the code `unavailable`
	 * @throws {ProviderStoppedError} or the error of `start`, if the provider is stopped or fails to start while the
	 * call is pending; the socket stays in the topic, which the next `start` subscribes to
	 */
	subscribe(socketId: string, topic: string, options?: SubscribeOptions): Promise<void>;

	/**
	 * Asks the backend for a topic's messages before any socket of this node is subscribed to it, so that subscribing a
	 * socket takes less time later. Returns a function that ends this: then, the topic stays subscribed only for
	 * sockets. A failure is logged; subscribing a socket asks again.
	 *
	 * @throws {InvalidTopicError}
	 */
	prepare(topic: string): () => void;

	/**
	 * Calls a listener for each change of a subscription on this node. Returns a function that removes it.
	 *
	 * @throws {InvalidOptionError} the listener does not have both functions
	 */
	onMembership(listener: MembershipListener): () => void;

	/**
	 * Sends a socket of this node the messages of a topic with history that it missed, then subscribes it. Live messages
	 * follow without duplicates, holes or reordering, preceded by a `@position` (see PROTOCOL.md). If the socket is
	 * already subscribed, the same is done again. Resolves with undefined if the socket was closed, unsubscribed or
	 * resumed again before it was up to date. Counts as a request of the client. A socket that was subscribed with
	 * `past: false` is not sent what was published before, unless `from` says that it is entitled to it.
	 *
	 * @param from which of the earlier messages to send
	 * @throws {NoHistoryError} {InvalidPositionError} {InvalidOptionError} and everything that `subscribe` throws. After
	 * a {HistoryUnavailableError}, a socket that was subscribed before still is, and is sent live messages
	 */
	resume(socketId: string, topic: string, from: ResumeFrom): Promise<Recovery | undefined>;

	/**
	 * Returns a page of a topic's history as JSON, for a framework that answers clients. Calls for the same page at the
	 * same time share one read, and a limited number of pages is read at a time. Reading is retried for two seconds.
	 *
	 * @throws everything that `history` throws
	 */
	encodedHistory(topic: string, options: EncodedPageOptions): Promise<EncodedPage>;

	/**
	 * Returns whether a socket of this node is in the topic because it was subscribed with `past: false`: it may not be
	 * sent what was published before. `resume` sees to that; before a page of the history is read for its client, the
	 * caller must.
	 */
	isWithoutPast(socketId: string, topic: string): boolean;

	/** Returns whether a topic has history. */
	hasHistory(topic: string): boolean;

	/**
	 * Unsubscribes a socket of this node from a topic: it receives no more of the topic's messages. A client that speaks
	 * the protocol is told by `@unsubscribed`, unless it has asked for this itself. Does nothing if the socket is not
	 * subscribed. Also works before `start` and after `stop`.
	 *
	 * @throws {InvalidTopicError} {InvalidOptionError} {InvalidSocketIdError} nothing was changed
	 * @throws {UnknownSocketError} the socket has closed, or is connected to another node
	 */
	unsubscribe(socketId: string, topic: string, options?: UnsubscribeOptions): Promise<void>;

	/**
	 * Publishes a message to all subscribers of `topic` except the sender, a socket of this node. The same as `publish`
	 * with `except`, but not refused on a topic with history: there, the sender receives the message as well, because
	 * the positions that it follows must have no holes.
	 *
	 * @throws {UnknownSocketError} and everything that `publish` throws
	 */
	publishFrom(socketId: string, topic: string, payload: Payload): Promise<void>;

	/**
	 * Like `send`, for an envelope as `encodeEnvelope` and `encodeRequest` return it, which every client receives as it
	 * is. For frameworks: never pass an application's text, which could then be any frame of the protocol.
	 *
	 * @throws everything that `send` throws
	 */
	sendEnvelope(socketId: string, envelope: string): Promise<void>;

	/** Like `broadcast`, for an envelope; see {@link sendEnvelope}. @throws everything that `broadcast` throws */
	broadcastEnvelope(envelope: string): Promise<void>;

	/** Returns a snapshot of the ids of this node's sockets in `topic`. */
	getTopicSubscribers(topic: string): ReadonlySet<string>;
}
