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

/** Reaches clients on any node, from anywhere in the application. */
export class ApplicationSocket implements SocketEmitter, SocketHistory {
	readonly #provider: WebSocketProvider;
	readonly #requests: ClientRequests;

	/** Made by the application; not for others to make. */
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

	/** The messages of a topic with history right after a position, or its last ones. As `SocketHistory.history`. */
	history(topic: string, options?: HistoryPageOptions): Promise<HistoryPage> {
		return this.#provider.history(topic, options);
	}

	/**
	 * Asks one client, on whichever node it is, and resolves with its answer, validated by the message's `reply`.
	 *
	 * @throws {SocketRequestError} what the client answered; or `timeout`, `disconnected` (known at once for this node's sockets, by the
	 * timeout for others), `invalid_reply`, `too_many_requests`
	 * @throws {MessageValidationError} `data` does not fit; {InvalidMessageDefinitionError} the message has no `reply`
	 * @throws whatever `send` throws; nothing was asked
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
