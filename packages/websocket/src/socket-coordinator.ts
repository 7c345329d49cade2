import type { WebSocketConnection } from './sockets/websocket-connection.ts';
import { consoleLogger, type Logger } from './logger.ts';
import type { WebSocketProvider } from './provider-contract.ts';

export interface SocketCoordinatorOptions {
	/** Coordinators of one provider share its sockets. */
	readonly provider: WebSocketProvider;
	/** Default: the console, without debug lines. */
	readonly logger?: Logger;
}

/** The connections and subscriptions of one server, for the WebSocket handlers of `Bun.serve`. */
export class SocketCoordinator {
	readonly #provider: WebSocketProvider;
	readonly #logger: Logger;

	constructor(options: SocketCoordinatorOptions) {
		if (typeof options?.provider?.addConnection !== 'function') {
			throw new TypeError(
				'SocketCoordinator needs a provider: new SocketCoordinator({ provider: new InProcWsProvider() })',
			);
		}
		this.#provider = options.provider;
		this.#logger = options.logger ?? consoleLogger;
	}

	/**
	 * Adds a socket; call it in `open(ws)`. From then on it can be sent to, and counts. Resolves when every node can
	 * reach it; the promise may be ignored. Adding a socket twice is the same as adding it once.
	 *
	 * @throws {InvalidSocketDataError} {InvalidSocketIdError} {InvalidTopicError} {DuplicateSocketError} the socket was
	 * refused, logged and closed with 1011; nothing else was affected
	 */
	addConnection<TData>(ws: WebSocketConnection<TData>): Promise<void> {
		return this.#provider.addConnection(ws);
	}

	/** Removes a socket from all its topics and forgets it; call it in `close(ws)`. Returns whether it was known. */
	removeConnection(socketId: string): boolean {
		const known = this.#provider.removeConnection(socketId);
		if (!known) this.#logger.debug('removeConnection() was called with an unknown socket', { socketId });
		return known;
	}

	/** Returns a socket of this server. */
	getConnection<TData = unknown>(socketId: string): WebSocketConnection<TData> | undefined {
		return this.#provider.getConnection<TData>(socketId);
	}

	getConnectionCount(): number {
		return this.#provider.getConnectionCount();
	}

	/**
	 * Subscribes a socket to a topic. Resolves once messages of every node will arrive.
	 *
	 * @throws {InvalidTopicError} {UnknownSocketError} {ProviderStoppedError} nothing was changed
	 * @throws {SubscribeError} the backend refused; the subscription was rolled back
	 */
	subscribeToTopic(socketId: string, topic: string): Promise<void> {
		return this.#provider.subscribe(socketId, topic);
	}

	/** Unsubscribes a socket from a topic. Does nothing if it is not subscribed. @throws {InvalidTopicError} */
	unsubscribeFromTopic(socketId: string, topic: string): Promise<void> {
		return this.#provider.unsubscribe(socketId, topic);
	}

	/** The ids of this server's sockets in `topic`: a snapshot. */
	getTopicSubscribers(topic: string): ReadonlySet<string> {
		return this.#provider.getTopicSubscribers(topic);
	}
}
