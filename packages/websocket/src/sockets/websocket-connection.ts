import type { ServerWebSocket } from 'bun';
import { SUBPROTOCOL } from '../protocol/subprotocol.ts';

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
	/**
	 * The subprotocol that the handshake has confirmed; must not change. With `orijs.1`, the socket's client speaks the
	 * protocol (see PROTOCOL.md): what it could mistake for a frame is put into one. Default: the socket is plain, and
	 * receives payloads byte for byte.
	 */
	readonly subprotocol?: string | undefined;
	/**
	 * Who the client is: one identity for all connections of a user, 1 to 256 characters. Must not change once the
	 * socket is added. Default: the user is unknown.
	 */
	readonly userId?: string | undefined;
	/**
	 * When the connection began, in milliseconds since the epoch. Default: when the socket is added. If a client is
	 * checked before its socket is added, set it at the upgrade: actions of `provider.cluster` that come in between are
	 * then done on it.
	 */
	connectedAt?: number | undefined;
}

/** One client's connection: Bun's own socket with {@link SocketData}. */
export type WebSocketConnection<TData = unknown> = ServerWebSocket<SocketData<TData>>;

/** Returns whether the socket's client speaks the protocol. Otherwise, the socket is plain. */
export function isSpeaker({ data }: { readonly data: Pick<SocketData, 'subprotocol'> }): boolean {
	return data.subprotocol === SUBPROTOCOL;
}
