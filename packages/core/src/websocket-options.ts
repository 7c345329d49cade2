import type { Logger } from '@orijs/websocket';
import type { BunRequest } from 'bun';
import type { AppSocket } from './app-socket.ts';
import type { PerMessageDeflate } from './compression.ts';
import type { ConnectionData } from './connection-data.ts';
import type { Limits } from './limits.ts';
import type { EndpointPresenceOptions } from './presence-options.ts';

/**
 * The result of `upgrade`: the connection's data, `null` or `false` to reject with 403, or the response to reject with.
 */
export type UpgradeResult<TData extends ConnectionData> = TData | Response | null | false;

/** What `upgrade` can add to the response that accepts the client (101). */
export interface UpgradeResponse {
	/**
	 * Headers to add, for example with `append('Set-Cookie', …)`. If the request is rejected, they are not sent. Headers
	 * of the handshake itself can't be set (`Sec-WebSocket-*`, `Connection`, `Upgrade`, `Content-Length` and
	 * `Transfer-Encoding`): the client would get 500.
	 */
	readonly headers: Headers;
	/**
	 * Who the user is, if the request shows it: 1 to 256 characters. Found as `ws.data.userId` and `ctx.userId`; guards
	 * can still change it. With anything else, the client gets 500.
	 */
	userId: string | undefined;
}

/** Whether a client may be in a topic, until when, and the refusal it receives if not. */
export interface TopicAuthorization {
	readonly allowed: boolean;
	/**
	 * Until when the client may be in the topic: a Date, or milliseconds since the epoch. Then, `authorize.subscribe` is
	 * asked again, at most a second late. Time is measured from the answer, by the monotonic clock. Default: for as long
	 * as it is in it, unless `reauthorize` asks again.
	 */
	readonly expiresAt?: Date | number | undefined;
	/**
	 * The code that a client receives that is not allowed: 1 to 64 characters from `a-z 0-9 _`, beginning with a letter.
	 * Default `forbidden`.
	 */
	readonly code?: string | undefined;
	/** The text that a client receives that is not allowed. */
	readonly message?: string | undefined;
}

/** Decides what clients may do on their own, without a handler of the application. */
export interface Authorize<TData extends ConnectionData = ConnectionData> {
	/**
	 * Decides whether a client that asks to subscribe to a topic, or to read its history, may do so: true, false, or a
	 * {@link TopicAuthorization}. Default: no client may. It is not asked for topics that the client is in
	 * already, unless that was with `past: false` and the client asks for earlier messages. It is asked again at
	 * `expiresAt` and by `reauthorize`, about topics for which it has allowed the client to subscribe: a client that may
	 * no longer be in one is unsubscribed, and told why.
	 *
	 * If this throws or rejects with a `SocketError`, that error is sent to the client. Any other error is logged, and
	 * the client receives `internal`. If it takes longer than `limits.handlerTimeoutMs`, it receives `timeout`. All of
	 * these take a topic away as well, when asked again.
	 *
	 * @param state the connection's state as set by the guards (`ctx.state` in handlers); annotate it with its type
	 */
	subscribe?(
		ws: AppSocket<TData>,
		topic: string,
		state: any,
	): boolean | TopicAuthorization | Promise<boolean | TopicAuthorization>;
}

export interface WebSocketOptions<TData extends ConnectionData = ConnectionData> {
	/**
	 * The path of the endpoint, URL-encoded; it may have parameters, as in `/ws/:room`. A trailing slash makes no
	 * difference: requests with and without it reach the endpoint. Default `/ws`.
	 */
	readonly path?: string;
	/**
	 * Inspects an upgrade request and returns the connection's data, an object that handlers find in `ws.data.data`;
	 * `null` or `false` to reject with 403; or a `Response` to reject with. If it throws, rejects or returns anything
	 * else, the client gets 500; if it takes longer than `upgradeTimeoutMs`, 503. Default: accepts everyone, with empty
	 * data.
	 *
	 * `response.headers` are added to the response that accepts the client. Changes to `req.cookies` are sent with any
	 * response.
	 */
	readonly upgrade?: (
		req: BunRequest,
		response: UpgradeResponse,
	) => UpgradeResult<TData> | Promise<UpgradeResult<TData>>;
	/** Time that `upgrade` may take, in milliseconds. Default 5,000. */
	readonly upgradeTimeoutMs?: number;
	/**
	 * The subprotocols that the endpoint supports, in order of preference: the first one that a client offers is
	 * confirmed. Or a function that returns one of the names that a client offers, or undefined for none; it is called
	 * once `upgrade` has accepted a client that offers any. If it throws or returns anything else, the client gets 500.
	 * Handlers find the result in `ws.subprotocol`. Default: none.
	 *
	 * If none of its offers is confirmed, the client is connected without a subprotocol; browsers then fail the
	 * connection. Names that begin with `orijs.` are reserved: every endpoint confirms `orijs.1`, the subprotocol of
	 * clients that speak the protocol, before anything else. Connections without it are plain.
	 */
	readonly subprotocol?: readonly string[] | ((offered: readonly string[], req: BunRequest) => string | undefined);
	/**
	 * The origins whose pages may connect: `https://app.example.com`, `https://*.example.com` for all subdomains, or `*`
	 * for all. Pages of other origins get 403. Default: the server's own origin, according to the `Host` header. Clients
	 * that send no `Origin`, such as programs, may always connect.
	 */
	readonly allowedOrigins?: readonly string[];
	/**
	 * Addresses or networks (`10.0.0.0/8`) of the proxies in front of the server, whose `X-Forwarded-For` and
	 * `X-Forwarded-Host` are trusted; `unix` for the peers of a Unix socket. Default: none.
	 */
	readonly trustedProxies?: readonly string[];
	/** Decides what clients may do on their own, without a handler. Default: nothing is allowed. */
	readonly authorize?: Authorize<TData>;
	/** What others see of connections in topics whose presence the provider keeps, and who may see it. */
	readonly presence?: EndpointPresenceOptions<TData>;
	/**
	 * What happens to typed messages that no router has a handler for. `refuse` answers `unknown_type`. `raw` passes the
	 * text to the `message` handler, which must exist, and no router may use `onUnknown`. Types that begin with `@`
	 * belong to the protocol and are always refused. Default `refuse`.
	 */
	readonly unknownMessages?: 'refuse' | 'raw';
	/** Limits, each with a default. */
	readonly limits?: Limits;
	/**
	 * The policy if a client reads so slowly that more than `limits.queuedBytes` wait to be sent to it. `close` closes
	 * the connection with 1013. `drop` drops messages to the client, and sends it a gap notice once it has caught up,
	 * if it speaks the protocol. Default `close`.
	 */
	readonly slowReaders?: 'close' | 'drop';
	/**
	 * Whether to compress messages (permessage-deflate, RFC 7692) for clients that offer it, as browsers do. What
	 * clients compress counts with the size to which it inflates, for all limits; `limits.bytesPerSecond` must be
	 * finite. Default false.
	 *
	 * Bun compresses a message again for each of its receivers: 2 KB of JSON take 14 µs of processor time for each,
	 * instead of 0.7, and 562 bytes on the wire. Memory per connection stays the same. See docs/performance.md.
	 */
	readonly perMessageDeflate?: boolean | PerMessageDeflate;
}

/** The options of an endpoint that stands alone. */
export interface SocketEndpointOptions<TData extends ConnectionData = ConnectionData> extends WebSocketOptions<TData> {
	/** Receives all log lines. Default: the console, without debug lines. */
	readonly logger?: Logger;
}

/**
 * What a handler returns: a promise is awaited, anything else ignored. The type is left open, so that a handler can use
 * `app` in the chain that creates it.
 */
type HandlerResult = any;

/**
 * An application's handlers for its connections. If one throws or rejects, the error is logged and other connections
 * are not affected; a socket whose `open` failed is closed with 1011.
 */
export interface WebSocketHandlers<TData extends ConnectionData = ConnectionData> {
	/**
	 * Called when a connection is open and its guards have passed. If the client speaks the protocol, its messages wait
	 * for the returned promise, apart from replies and heartbeats, and it becomes ready only then, in all topics that
	 * this has subscribed it to; at most for `limits.guardTimeoutMs`, and not while a subscription can't be confirmed,
	 * because the backend is away: then, a gap is told. The messages of a plain client are handled without waiting.
	 */
	open?(ws: AppSocket<TData>): HandlerResult;
	/**
	 * Called for each message. Messages of one socket are handled in order, one at a time. From plain connections, this
	 * receives everything. From connections that speak the protocol (`ws.subprotocol` is `orijs.1`, as with
	 * `SocketClient`), only what is no message of the protocol: binary data, and text that is not a JSON object with a
	 * `type`; with the option `unknownMessages: 'raw'`, also typed messages that no router has a handler for.
	 */
	message?(ws: AppSocket<TData>, message: string | Buffer): HandlerResult;
	/**
	 * Called when a connection has ended. The socket is no longer subscribed or counted; `ws.data.topics` still holds
	 * the topics it was subscribed to. To notify others, use `app.socket.publish`: `ws.publish` needs an open socket. If
	 * the client closed the connection, the handlers of all earlier messages have been called before this. If the server
	 * closed it, queued messages were dropped.
	 */
	close?(ws: AppSocket<TData>, code: number, reason: string): HandlerResult;
	/** Called when a socket that had backpressure can take messages again. */
	drain?(ws: AppSocket<TData>): HandlerResult;
	/**
	 * Called for each ping of a client, which Bun answers by itself. Called at once, without waiting for the handlers of
	 * earlier messages.
	 *
	 * @param data the payload, up to 125 bytes
	 */
	ping?(ws: AppSocket<TData>, data: Buffer): HandlerResult;
	/**
	 * Called for each pong of a client: its answers to `ws.ping(data)`, with the same data, and to the pings that the
	 * endpoint sends every `limits.pingIntervalMs`, without data. Called at once, like `ping`.
	 *
	 * @param data the payload, up to 125 bytes
	 */
	pong?(ws: AppSocket<TData>, data: Buffer): HandlerResult;
}
