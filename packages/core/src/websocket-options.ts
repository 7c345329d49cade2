import type { AppSocket } from './app-socket.ts';

/** What may come of an upgrade request: the connection's data, or a refusal (`null`: 403, or a response of one's own). */
export type UpgradeResult<TData> = TData | Response | null;

export interface WebSocketOptions<TData = unknown> {
	/** Where clients connect. Default `/ws`. */
	readonly path?: string;
	/**
	 * Looks at an upgrade request and returns the connection's data, which handlers find in `ws.data.data`; or `null` to refuse with
	 * 403, or a `Response` to refuse with that. If it throws or rejects, the client gets a 500; if it takes longer than
	 * `upgradeTimeoutMs`, a 503. Default: everyone may connect, with empty data.
	 */
	readonly upgrade?: (req: Request) => UpgradeResult<TData> | Promise<UpgradeResult<TData>>;
	/** How long `upgrade` may take, in milliseconds. Default 5,000. */
	readonly upgradeTimeoutMs?: number;
}

/**
 * What an application does with its connections. A handler that throws or rejects is logged and harms nobody else; a socket whose
 * `open` failed is closed with 1011.
 */
export interface WebSocketHandlers<TData = unknown> {
	open?(ws: AppSocket<TData>): void | Promise<void>;
	message?(ws: AppSocket<TData>, message: string | Buffer): void | Promise<void>;
	/** The socket is gone from every topic and count; `ws.data.topics` still says which topics it was in. */
	close?(ws: AppSocket<TData>, code: number, reason: string): void | Promise<void>;
	/** A socket that was slow can take messages again. */
	drain?(ws: AppSocket<TData>): void | Promise<void>;
}
