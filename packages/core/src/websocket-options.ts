import type { BunRequest } from 'bun';
import type { AppSocket } from './app-socket.ts';
import type { ConnectionData } from './connection-data.ts';
import type { Limits } from './limits.ts';

/** What may come of an upgrade request: the connection's data, or a refusal (`null`: 403, or a response of one's own). */
export type UpgradeResult<TData extends ConnectionData> = TData | Response | null;

/** What clients may do by themselves. */
export interface Authorize<TData extends ConnectionData = ConnectionData> {
	/**
	 * Whether a client may subscribe to a topic by itself. Default: no. If it throws or rejects, the
	 * client is answered `internal`, and it is logged; a `SocketError` answers with its own code.
	 *
	 * @param state what the guards have set, `ctx.state` of the handlers; give it its type
	 */
	subscribe?(ws: AppSocket<TData>, topic: string, state: any): boolean | Promise<boolean>;
}

export interface WebSocketOptions<TData extends ConnectionData = ConnectionData> {
	/** Where clients connect, as it stands in a URL; it may have parameters, as in `/ws/:room`. Default `/ws`. */
	readonly path?: string;
	/**
	 * Looks at an upgrade request and returns the connection's data, an object that handlers find in `ws.data.data`; or `null` to
	 * refuse with 403, or a `Response` to refuse with that. If it throws or rejects, or returns anything else, the client gets a
	 * 500; if it takes longer than `upgradeTimeoutMs`, a 503. Default: everyone may connect, with empty data.
	 */
	readonly upgrade?: (req: BunRequest) => UpgradeResult<TData> | Promise<UpgradeResult<TData>>;
	/** How long `upgrade` may take, in milliseconds. Default 5,000. */
	readonly upgradeTimeoutMs?: number;
	/**
	 * The origins whose pages may connect, as `https://app.example.com`, `https://*.example.com` for all subdomains, or `*` for all;
	 * others get 403. Default: the server's own, told by its `Host`. What sends no `Origin`, as programs do, may always connect.
	 */
	readonly allowedOrigins?: readonly string[];
	/**
	 * The addresses or networks (`10.0.0.0/8`) of proxies in front of the server, whose `X-Forwarded-For` and `X-Forwarded-Host` are
	 * believed. Default: none.
	 */
	readonly trustedProxies?: readonly string[];
	/** What clients may do by themselves. Default: nothing. */
	readonly authorize?: Authorize<TData>;
	/** Bounds, each with a default. */
	readonly limits?: Limits;
	/**
	 * What happens to clients that read too slowly, with `limits.queuedBytes` waiting for them. `close` ends the connection with 1013.
	 * `drop` lets messages to them be dropped, and tells them with a gap notice once they have caught up. Default `close`.
	 */
	readonly slowReaders?: 'close' | 'drop';
}

/**
 * What an application does with its connections. A handler that throws or rejects is logged and harms nobody else; a socket whose
 * `open` failed is closed with 1011.
 */
export interface WebSocketHandlers<TData extends ConnectionData = ConnectionData> {
	/** The connection is open and its guards have passed. Messages do not wait for what this awaits. */
	open?(ws: AppSocket<TData>): void | Promise<void>;
	/**
	 * A message came. Messages of one socket are handled in order, one at a time. With routers, this gets what is no typed message:
	 * binary ones, and text that is no JSON object with a `type`.
	 */
	message?(ws: AppSocket<TData>, message: string | Buffer): void | Promise<void>;
	/**
	 * The socket is gone from every topic and count; `ws.data.topics` still says which topics it was in. Say goodbye with
	 * `app.socket.publish`: `ws.publish` is for a socket that is open. What a client had sent before it closed was given to handlers before
	 * this; where the server closed, what waited was dropped.
	 */
	close?(ws: AppSocket<TData>, code: number, reason: string): void | Promise<void>;
	/** A socket that was slow can take messages again. */
	drain?(ws: AppSocket<TData>): void | Promise<void>;
}
