import type {
	HistoryPage,
	HistoryPageOptions,
	Payload,
	PublishOptions,
	SocketEmitter,
	SocketHistory,
	WebSocketProvider,
} from '@orijs/websocket';
import type { InferInput, InferOutput, RequestMessage, SocketMessage } from '@orijs/websocket/protocol';
import type { ClientRequests, RequestOptions } from '../routing/client-requests.ts';

/** Available as `app.socket`: sends messages to clients on any node, from anywhere in the application. */
export class ApplicationSocket implements SocketEmitter, SocketHistory {
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

	send(socketId: string, payload: Payload): Promise<void> {
		return this.#provider.send(socketId, payload);
	}

	broadcast(payload: Payload): Promise<void> {
		return this.#provider.broadcast(payload);
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
	): Promise<InferOutput<T['reply']>> {
		return this.#requests.request(socketId, message, data, options);
	}
}
