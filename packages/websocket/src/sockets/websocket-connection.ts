import type { ServerWebSocket } from 'bun';

/**
 * What `server.upgrade(req, { data })` must attach to a socket.
 *
 * @typeParam TData the application's own data about the connection
 */
export interface SocketData<TData = unknown> {
	/** The socket's identity: a UUID v4, from `crypto.randomUUID()`. Anyone who can guess it can be sent to in its name. */
	readonly socketId: string;
	/** The application's own data. */
	data: TData;
	/**
	 * The topics this socket is in, kept by the provider; read it, change it through `subscribe` and `unsubscribe`.
	 * Topics already listed when the socket is added are subscribed for it.
	 */
	readonly topics: ReadonlySet<string>;
}

/** One client's connection: Bun's own socket with {@link SocketData}. */
export type WebSocketConnection<TData = unknown> = ServerWebSocket<SocketData<TData>>;
