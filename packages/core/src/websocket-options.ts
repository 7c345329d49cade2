import type { BunRequest } from 'bun';
import type { AppSocket } from './app-socket.ts';
import type { ConnectionData } from './connection-data.ts';
import type { Limits } from './limits.ts';

/** The result of `upgrade`: the connection's data, `null` to reject with 403, or the response to reject with. */
export type UpgradeResult<TData extends ConnectionData> = TData | Response | null;

/** What clients may do by themselves. */
export interface Authorize<TData extends ConnectionData = ConnectionData> {
	/**
	 * Returns whether a client may subscribe to a topic by itself. Default: it may not. If this throws or rejects, the
	 * error is logged and the client is answered `internal`; a `SocketError` answers with its own code.
	 *
	 * @param state what the guards have set, `ctx.state` in handlers; annotate it with its type
	 */
	subscribe?(ws: AppSocket<TData>, topic: string, state: any): boolean | Promise<boolean>;
}

export interface WebSocketOptions<TData extends ConnectionData = ConnectionData> {
	/** The path of the endpoint, URL-encoded; it may have parameters, as in `/ws/:room`. Default `/ws`. */
	readonly path?: string;
	/**
	 * Inspects an upgrade request and returns the connection's data, an object that handlers find in `ws.data.data`;
	 * `null` to reject with 403; or a `Response` to reject with. If it throws, rejects or returns anything else, the
	 * client gets 500; if it takes longer than `upgradeTimeoutMs`, 503. Default: accepts everyone, with empty data.
	 */
	readonly upgrade?: (req: BunRequest) => UpgradeResult<TData> | Promise<UpgradeResult<TData>>;
	/** Time `upgrade` may take, in milliseconds. Default 5,000. */
	readonly upgradeTimeoutMs?: number;
	/**
	 * The origins whose pages may connect: `https://app.example.com`, `https://*.example.com` for all subdomains, or `*`
	 * for all; others get 403. Default: the server's own origin, by its `Host`. Clients that send no `Origin`, such as
	 * programs, may always connect.
	 */
	readonly allowedOrigins?: readonly string[];
	/**
	 * Addresses or networks (`10.0.0.0/8`) of the proxies in front of the server, whose `X-Forwarded-For` and
	 * `X-Forwarded-Host` are trusted. Default: none.
	 */
	readonly trustedProxies?: readonly string[];
	/** What clients may do by themselves. Default: nothing. */
	readonly authorize?: Authorize<TData>;
	/** Limits, each with a default. */
	readonly limits?: Limits;
	/**
	 * What happens when more than `limits.queuedBytes` wait to be sent to a client. `close` closes the connection with
	 * 1013. `drop` drops messages to it, and sends it a gap notice once it has caught up. Default `close`.
	 */
	readonly slowReaders?: 'close' | 'drop';
}

/**
 * An application's handlers for its connections. If one throws or rejects, the error is logged and other connections
 * are not affected; a socket whose `open` failed is closed with 1011.
 */
export interface WebSocketHandlers<TData extends ConnectionData = ConnectionData> {
	/**
	 * A connection is open and its guards have passed. Its messages are handled without waiting for what this awaits.
	 */
	open?(ws: AppSocket<TData>): void | Promise<void>;
	/**
	 * A message has arrived. Messages of one socket are handled in order, one at a time. With routers, this receives
	 * only what is not a typed message: binary data, and text that is not a JSON object with a `type`.
	 */
	message?(ws: AppSocket<TData>, message: string | Buffer): void | Promise<void>;
	/**
	 * A connection has ended. The socket is no longer subscribed or counted; `ws.data.topics` still holds the topics it
	 * was subscribed to. To notify others, use `app.socket.publish`: `ws.publish` needs an open socket. Messages that
	 * arrived before the client closed reach their handlers before this is called; if the server closed, they are
	 * dropped.
	 */
	close?(ws: AppSocket<TData>, code: number, reason: string): void | Promise<void>;
	/** A slow socket can take messages again. */
	drain?(ws: AppSocket<TData>): void | Promise<void>;
}
