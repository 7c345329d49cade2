import { CloseCode } from '@orijs/websocket/protocol';

export interface DelayBounds {
	readonly minDelayMs: number;
	readonly maxDelayMs: number;
}

/**
 * How long to wait before the next try, at random from nothing up to a bound that doubles with each try that failed, so that the clients
 * of a server that went down come back spread out.
 *
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ "Full Jitter"
 */
export function fullJitter(failures: number, { minDelayMs, maxDelayMs }: DelayBounds): number {
	return Math.random() * Math.min(maxDelayMs, minDelayMs * 2 ** failures);
}

/** RFC 6455: this side has broken the protocol, or sent what is no text. It would again. */
const PROTOCOL_ERROR = 1002;
const INVALID_PAYLOAD = 1007;

/** Whether it makes no sense to come back after a connection that has ended so, see the table in PROTOCOL.md. */
export function isTerminal(code: number): boolean {
	return (
		code === CloseCode.unauthorized ||
		code === CloseCode.unsupportedData ||
		code === PROTOCOL_ERROR ||
		code === INVALID_PAYLOAD
	);
}
