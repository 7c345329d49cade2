import type { CloseCode } from '@orijs/websocket/protocol';
import type { ConnectionEnd } from './client-state.ts';

// The codes are repeated here to keep those that the client does not need out of bundles.
const UNAUTHORIZED: typeof CloseCode.unauthorized = 4401;
const DISCONNECTED: typeof CloseCode.disconnected = 4403;
const UNSUPPORTED_DATA: typeof CloseCode.unsupportedData = 1003;
/**
 * Close codes of RFC 6455: this client has violated the protocol, or sent invalid text. After reconnecting, it would do
 * so again.
 */
const PROTOCOL_ERROR = 1002;
const INVALID_PAYLOAD = 1007;

export interface DelayBounds {
	readonly minDelayMs: number;
	readonly maxDelayMs: number;
}

/**
 * Returns the delay before the next attempt in milliseconds: random, from 0 to a bound that doubles with each failed
 * attempt, so that the clients of a failed server don't all reconnect at the same time.
 *
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ "Full Jitter"
 */
export function fullJitter(failures: number, { minDelayMs, maxDelayMs }: DelayBounds): number {
	return Math.random() * Math.min(maxDelayMs, minDelayMs * 2 ** failures);
}

/**
 * The close reason if a guard has rejected credentials because they have expired, so that it may accept new ones: the
 * code of the guard's `SocketError`.
 */
const TOKEN_EXPIRED = 'token_expired';

/** Returns whether a connection has ended because its credentials have expired: new ones may be accepted. */
export function isExpired({ code, reason, disconnected }: ConnectionEnd): boolean {
	return code === UNAUTHORIZED && reason === TOKEN_EXPIRED && !disconnected;
}

/**
 * Returns whether reconnecting is pointless after a connection has ended; see PROTOCOL.md. What the server has said
 * before counts even if its close frame got lost.
 */
export function isTerminal({ code, disconnected }: ConnectionEnd): boolean {
	return (
		disconnected?.reconnect === false ||
		[UNAUTHORIZED, DISCONNECTED, UNSUPPORTED_DATA, PROTOCOL_ERROR, INVALID_PAYLOAD].includes(code)
	);
}
