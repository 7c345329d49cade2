import type { BunRequest } from 'bun';
import type { AppSocket } from './app-socket.ts';
import type { ConnectionData } from './connection-data.ts';

/** What may come of an upgrade request: the connection's data, or a refusal (`null`: 403, or a response of one's own). */
export type UpgradeResult<TData extends ConnectionData> = TData | Response | null;

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
}

/**
 * What an application does with its connections. A handler that throws or rejects is logged and harms nobody else; a socket whose
 * `open` failed is closed with 1011.
 */
export interface WebSocketHandlers<TData extends ConnectionData = ConnectionData> {
	open?(ws: AppSocket<TData>): void | Promise<void>;
	message?(ws: AppSocket<TData>, message: string | Buffer): void | Promise<void>;
	/**
	 * The socket is gone from every topic and count; `ws.data.topics` still says which topics it was in. Say goodbye with
	 * `app.socket.publish`: `ws.publish` is for a socket that is open.
	 */
	close?(ws: AppSocket<TData>, code: number, reason: string): void | Promise<void>;
	/** A socket that was slow can take messages again. */
	drain?(ws: AppSocket<TData>): void | Promise<void>;
}
