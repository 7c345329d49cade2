import type { ServerWebSocket } from 'bun';

/**
 * The data that `server.upgrade(req, { data })` must attach to a socket.
 *
 * @typeParam TData the application's own data about the connection
 */
export interface SocketData<TData = unknown> {
	/**
	 * The socket's identity: a UUID v4, from `crypto.randomUUID()`. Must not be guessable: another socket with the
	 * same id would receive this socket's messages.
	 */
	readonly socketId: string;
	/** The application's own data. */
	data: TData;
	/**
	 * The topics that the socket is subscribed to, kept up to date by the provider: change them with `subscribe` and
	 * `unsubscribe`. When a socket is added, it is subscribed to the topics listed here.
	 */
	readonly topics: ReadonlySet<string>;
}

/** One client's connection: Bun's own socket with {@link SocketData}. */
export type WebSocketConnection<TData = unknown> = ServerWebSocket<SocketData<TData>>;
