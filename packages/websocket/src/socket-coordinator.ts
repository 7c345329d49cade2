import type { WebSocketConnection } from './sockets/websocket-connection.ts';
import { consoleLogger, type Logger } from './logger.ts';
import type { WebSocketProvider } from './provider.ts';

export interface SocketCoordinatorOptions {
	/** The provider whose sockets these are. Coordinators of one provider share one view of them. */
	readonly provider: WebSocketProvider;
	/** Default: the console, quiet at debug. */
	readonly logger?: Logger;
}

/** The connections and topic subscriptions of one server: what `Bun.serve`'s WebSocket handlers call. */
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
	 * Takes in a socket; call it in `open(ws)`. From then on `send`, `broadcast` and the counts know it. Resolves when every
	 * node can reach it; nobody has to await that. Adding a socket twice is adding it once.
	 *
	 * @throws {InvalidSocketDataError} {InvalidSocketIdError} {InvalidTopicError} {DuplicateSocketError} the socket was refused:
	 * logged and closed with 1011; nothing else was touched
	 */
	addConnection<TData>(ws: WebSocketConnection<TData>): Promise<void> {
		return this.#provider.addConnection(ws);
	}

	/** Forgets a socket and all its topics; call it in `close(ws)`. Returns whether it was known. */
	removeConnection(socketId: string): boolean {
		const known = this.#provider.removeConnection(socketId);
		if (!known) this.#logger.debug('A socket that is not known was removed', { socketId });
		return known;
	}

	/** A socket of this server, or undefined. */
	getConnection<TData = unknown>(socketId: string): WebSocketConnection<TData> | undefined {
		return this.#provider.getConnection<TData>(socketId);
	}

	getConnectionCount(): number {
		return this.#provider.getConnectionCount();
	}

	/**
	 * Puts a socket into a topic. Resolves once messages from every node will arrive.
	 *
	 * @throws {InvalidTopicError} {UnknownSocketError} {ProviderStoppedError} nothing was changed
	 * @throws {SubscribeError} the backend refused; rolled back
	 */
	subscribeToTopic(socketId: string, topic: string): Promise<void> {
		return this.#provider.subscribe(socketId, topic);
	}

	/** Takes a socket out of a topic. Leaving a topic one is not in is no error. @throws {InvalidTopicError} */
	unsubscribeFromTopic(socketId: string, topic: string): Promise<void> {
		return this.#provider.unsubscribe(socketId, topic);
	}

	/** The ids of this server's sockets in `topic`, as of now. */
	getTopicSubscribers(topic: string): ReadonlySet<string> {
		return this.#provider.getTopicSubscribers(topic);
	}
}
