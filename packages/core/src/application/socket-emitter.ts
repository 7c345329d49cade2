import type {
	HistoryPage,
	HistoryPageOptions,
	Payload,
	PublishOptions,
	SocketEmitter,
	SocketHistory,
	SocketMetrics,
	WebSocketProvider,
} from '@orijs/websocket';
import type { InferInput, InferOutput, MessageAndData, RequestMessage, SocketMessage } from '@orijs/websocket/protocol';
import type { ClientRequests, RequestOptions } from '../routing/client-requests.ts';
import { isTypedCall, sendInOrder, sendTyped } from '../routing/ordered-sends.ts';

/** The metrics of this node that `app.socket` has. */
type NodeCounts = Pick<
	SocketMetrics,
	'isConnected' | 'getConnectionCount' | 'getTopicCount' | 'getTopicSubscriberCount'
>;

/** The key of broadcasts among the ids by which sends are kept in order. No socket has it. */
const ALL_SOCKETS = '*';

/** Available as `app.socket`: sends messages to clients on any node, from anywhere in the application. */
export class ApplicationSocket implements SocketEmitter, SocketHistory, NodeCounts {
	readonly #provider: WebSocketProvider;
	readonly #requests: ClientRequests;

	/** Created by the application; do not create one yourself. */
	constructor(provider: WebSocketProvider, requests: ClientRequests) {
		this.#provider = provider;
		this.#requests = requests;
	}

	publish(topic: string, payload: Payload, options?: PublishOptions): Promise<void> {
		return this.#provider.publish(topic, payload, options);
	}

	/** Sends to one socket, on any node. See `SocketEmitter.send`. */
	send(socketId: string, payload: Payload): Promise<void>;
	/**
	 * Validates `data` against the message's schema and sends `{ name, data, timestamp }` as JSON to one socket, on any
	 * node. What this node sends to a socket, requests and `ctx.send` included, keeps the order of the calls, also while
	 * a schema takes its time.
	 *
	 * @throws {MessageValidationError} {UnsupportedValueError} {InvalidMessageDefinitionError} nothing was sent
	 * @throws everything that `send` throws without a message
	 */
	send<T extends SocketMessage>(socketId: string, message: T, data: InferInput<T['data']>): Promise<void>;
	send(socketId: string, what: Payload | SocketMessage, data?: unknown): Promise<void> {
		const { order } = this.#requests;
		const provider = this.#provider;
		if (isTypedCall(what, data))
			return sendTyped(this.#requests, socketId, what, data, (envelope) => provider.sendEnvelope(socketId, envelope));
		if (!order.isWaiting(socketId)) return provider.send(socketId, what);
		return sendInOrder(this.#requests, socketId, what, (payload) => provider.send(socketId, payload));
	}

	/** Sends to every socket of every node. See `SocketEmitter.broadcast`. */
	broadcast(payload: Payload): Promise<void>;
	/**
	 * Validates `data` against the message's schema and sends `{ name, data, timestamp }` as JSON to every socket of
	 * every node. Broadcasts keep the order of the calls, also while a schema takes its time.
	 *
	 * @throws {MessageValidationError} {UnsupportedValueError} {InvalidMessageDefinitionError} nothing was sent
	 * @throws everything that `broadcast` throws without a message
	 */
	broadcast<T extends SocketMessage>(message: T, data: InferInput<T['data']>): Promise<void>;
	broadcast(what: Payload | SocketMessage, data?: unknown): Promise<void> {
		const { order } = this.#requests;
		const provider = this.#provider;
		if (isTypedCall(what, data))
			return sendTyped(this.#requests, ALL_SOCKETS, what, data, (envelope) => provider.broadcastEnvelope(envelope));
		if (!order.isWaiting(ALL_SOCKETS)) return provider.broadcast(what);
		return sendInOrder(this.#requests, ALL_SOCKETS, what, (payload) => provider.broadcast(payload));
	}

	/** Returns whether the socket is connected to this node. */
	isConnected(socketId: string): boolean {
		return this.#provider.isConnected(socketId);
	}

	/** Returns the number of sockets of this node, without those whose guards have not passed yet. */
	getConnectionCount(): number {
		return this.#provider.getConnectionCount();
	}

	/** Returns the number of topics that this node's sockets are subscribed to. */
	getTopicCount(): number {
		return this.#provider.getTopicCount();
	}

	/** Returns the number of this node's sockets in `topic`. */
	getTopicSubscriberCount(topic: string): number {
		return this.#provider.getTopicSubscriberCount(topic);
	}

	emit<T extends SocketMessage>(
		message: T,
		topic: string,
		data: InferInput<T['data']>,
		options?: PublishOptions,
	): Promise<void> {
		return this.#provider.emit(message, topic, data, options);
	}

	/** Reads messages of a topic with history: those after a position, or the latest. See `SocketHistory.history`. */
	history(topic: string, options?: HistoryPageOptions): Promise<HistoryPage> {
		return this.#provider.history(topic, options);
	}

	/** Exists for the compiler's error about a call without data. */
	request(socketId: string, message: MessageAndData): never;
	/**
	 * Sends a request to one client, on any node, and resolves with its reply, validated by the message's `reply`
	 * schema.
	 *
	 * @throws {SocketRequestError} with the error code the client replied with, or with `disconnected` (the client has
	 * left, or the application stopped), `timeout` (also if the client's node has crashed or can't be reached),
	 * `invalid_reply`, `too_many_requests`, or `unsupported` (the client is a plain WebSocket, which can't answer)
	 * @throws {MessageValidationError} `data` does not match its schema
	 * @throws {UnsupportedValueError} `data` has a value that can't be sent
	 * @throws {InvalidMessageDefinitionError} the message has no `reply`, or no schema
	 * @throws whatever `send` throws; the request was not sent
	 */
	request<T extends RequestMessage>(
		socketId: string,
		message: T,
		data: InferInput<T['data']>,
		options?: RequestOptions,
	): Promise<InferOutput<T['reply']>>;
	request(socketId: string, message: never, data?: unknown, options?: RequestOptions): Promise<never> {
		return this.#requests.request(socketId, message, data as never, options);
	}
}
