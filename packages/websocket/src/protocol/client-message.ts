/**
 * The messages of clients and the answers to them: JSON in text frames.
 *
 * ```text
 * client → server   { type, data?, correlationId? }         with a correlation id it is a request and gets one answer
 * server → client   { type, correlationId, data? }          the answer
 *                   { type, correlationId?, error }         the refusal, also of a message that was not a request
 *                   { name, data, timestamp }               an emitted message
 *                   { name, data, timestamp, correlationId }  a request to the client
 * client → server   { type: '@reply', correlationId, data? | error }  its answer
 * ```
 *
 * Each frame with `data` that contains bytes or dates also has `values`, see `carried-values.ts`.
 */

/** A message from a client. */
export interface ClientMessage {
	/** The name of a message definition, or a {@link BuiltIn} type. */
	readonly type: string;
	readonly data?: unknown;
	/** Makes the message a request: 1 to 128 characters, unique among the connection's pending requests. */
	readonly correlationId?: string;
}

/** The answer to a request. */
export type Answer =
	| { readonly type: string; readonly correlationId: string; readonly data?: unknown }
	| { readonly type: string; readonly correlationId?: string; readonly error: RequestFault };

/** Why a request was refused. */
export interface RequestFault {
	readonly code: ErrorCode;
	/** The reason, for humans. */
	readonly message: string;
}

/**
 * Why a message was refused. A handler may answer with its own codes.
 *
 * - `invalid_message`: not a JSON object with a `type`, or nested too deeply, or with keys that are not allowed or a
 *   number that is too large
 * - `unknown_type`: the message's type has no handler
 * - `invalid_data`: `data` does not match the message's schema, or `values` does not match `data`; the error's text
 *   says where
 * - `forbidden`: a guard, or `authorize`, refused the message
 * - `rate_limited`: the client sends too many messages; this one was not handled
 * - `too_many_topics`: the connection is already subscribed to the maximum number of topics
 * - `too_many_requests`: too many requests of this connection are pending
 * - `too_large`: a client did not send the message, or its reply, because it exceeds `limits.messageBytes`; or the info
 *   of `@update` is too large
 * - `timeout`: there was no answer in time
 * - `unavailable`: other nodes can't be reached, and the request may have taken effect on this node; or a history can't
 *   be read
 * - `not_kept`: the server does not keep who is in the topic
 * - `not_watchable`: the server keeps who is in the topic, but no client may watch it: `events` is `none`
 * - `not_subscribed`: the request is only for clients that are in the topic
 * - `not_watched`: a further page of members was asked for without watching the topic, or only their number is known
 * - `stopping`: the server is stopping and has not handled the message; send it again on the next connection
 * - `internal`: the server failed; its log says why
 * - `disconnected`: the connection ended before the answer came
 * - `closed`: a subscription or a watch was closed before the server confirmed it
 * - `unsupported`: the client is a plain WebSocket, which can't answer requests
 * - `invalid_reply`: the answer can't be read, or does not match the message's `reply` schema
 */
export type ErrorCode =
	| 'invalid_message'
	| 'unknown_type'
	| 'invalid_data'
	| 'forbidden'
	| 'rate_limited'
	| 'too_many_topics'
	| 'too_many_requests'
	| 'too_large'
	| 'timeout'
	| 'unavailable'
	| 'not_kept'
	| 'not_watchable'
	| 'not_subscribed'
	| 'not_watched'
	| 'stopping'
	| 'internal'
	| 'disconnected'
	| 'closed'
	| 'unsupported'
	| 'invalid_reply'
	// Any other string; editors still suggest the known ones.
	| (string & {});
