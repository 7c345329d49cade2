import { checkOptionNames } from './call-checks.ts';
import type { WebSocketConnection } from './sockets/websocket-connection.ts';
import { consoleLogger } from './console-logger.ts';
import type { Logger } from './logger.ts';
import type { SubscribeOptions, UnsubscribeOptions, WebSocketProvider } from './provider-contract.ts';
import { FailureLog } from './support/failure-log.ts';
import { type LogKind, type LogThrottle, throttleOf } from './support/log-throttle.ts';
import type { OptionNames } from './support/unknown-option.ts';

export interface SocketCoordinatorOptions {
	/** The provider that holds the sockets. Coordinators with the same provider share them. */
	readonly provider: WebSocketProvider;
	/**
	 * Receives failures of this coordinator's calls whose promises are not awaited. Default: the console, without debug
	 * lines.
	 */
	readonly logger?: Logger;
}

const UNKNOWN_REMOVED: LogKind = {
	key: 'unknown socket removed',
	summary: 'removeConnection() was called with an unknown socket id',
};

const OPTIONS: OptionNames<SocketCoordinatorOptions> = { provider: true, logger: true };

/** Manages the connections and subscriptions of one server, on behalf of the WebSocket handlers of `Bun.serve`. */
export class SocketCoordinator {
	readonly #provider: WebSocketProvider;
	readonly #failures: FailureLog;
	readonly #throttle: LogThrottle;

	/** @throws {InvalidOptionError} an option is unknown @throws {TypeError} there is no provider */
	constructor(options: SocketCoordinatorOptions) {
		if (typeof options?.provider?.addConnection !== 'function') {
			throw new TypeError(
				'SocketCoordinator needs a provider: new SocketCoordinator({ provider: new InProcWsProvider() })',
			);
		}
		checkOptionNames('SocketCoordinator', options, OPTIONS);
		this.#provider = options.provider;
		const logger = options.logger ?? consoleLogger;
		this.#throttle = throttleOf(logger);
		this.#failures = new FailureLog(logger);
	}

	/**
	 * Adds a socket. Call this in `open(ws)`. From then on, the socket receives messages and is included in the counts.
	 * Resolves when every node can reach it; the promise may be ignored. Adding a socket twice is the same as adding it
	 * once.
	 *
	 * @throws {InvalidSocketDataError} {InvalidSocketIdError} {InvalidUserIdError} {InvalidTopicError}
	 * {DuplicateSocketError} the socket was rejected and closed with 1011; nothing else was affected. If the promise is
	 * not awaited, the error is logged
	 * @throws everything else that {@link WebSocketProvider.addConnection} throws
	 */
	addConnection<TData>(ws: WebSocketConnection<TData>): Promise<void> {
		return this.#failures.takeOver(this.#provider.addConnection(ws));
	}

	/**
	 * Removes a socket from this server and from all its topics. Call this in `close(ws)`. Returns whether the socket
	 * was connected.
	 */
	removeConnection(socketId: string): boolean {
		const known = this.#provider.removeConnection(socketId);
		if (!known) this.#throttle.add('debug', UNKNOWN_REMOVED, UNKNOWN_REMOVED.summary, { socketId });
		return known;
	}

	/** Returns a socket of this server; undefined if it is not connected. */
	getConnection<TData = unknown>(socketId: string): WebSocketConnection<TData> | undefined {
		return this.#provider.getConnection<TData>(socketId);
	}

	/** Returns the number of sockets of this server. */
	getConnectionCount(): number {
		return this.#provider.getConnectionCount();
	}

	/**
	 * Subscribes a socket to a topic. Resolves once messages from every node will arrive. A client that speaks the
	 * protocol is told then.
	 *
	 * @throws {InvalidTopicError} {InvalidOptionError} {InvalidSocketIdError} {UnknownSocketError}
	 * {ProviderNotStartedError} {ProviderStoppedError} nothing was changed
	 * @throws {SubscribeError} the backend refused; the subscription was rolled back
	 */
	subscribeToTopic(socketId: string, topic: string, options?: SubscribeOptions): Promise<void> {
		return this.#failures.takeOver(this.#provider.subscribe(socketId, topic, options));
	}

	/**
	 * Unsubscribes a socket from a topic. Does nothing if the socket is not subscribed. A client that speaks the
	 * protocol is told, after the topic's last message.
	 *
	 * @throws {InvalidTopicError} {InvalidOptionError} {InvalidSocketIdError} nothing was changed
	 * @throws {UnknownSocketError} the socket has closed, or is connected to another node
	 */
	unsubscribeFromTopic(socketId: string, topic: string, options?: UnsubscribeOptions): Promise<void> {
		return this.#failures.takeOver(this.#provider.unsubscribe(socketId, topic, options));
	}

	/** Returns a snapshot of the ids of this server's sockets in `topic`. */
	getTopicSubscribers(topic: string): ReadonlySet<string> {
		return this.#provider.getTopicSubscribers(topic);
	}
}
