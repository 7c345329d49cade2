import type { ErrorCode } from '@orijs/websocket/protocol';

const NOT_HANDLED: readonly ErrorCode[] = ['stopping', 'rate_limited', 'too_many_requests'];
const TRANSIENT: readonly ErrorCode[] = [...NOT_HANDLED, 'unavailable', 'timeout', 'internal'];

/** Whether the server has not looked at the request. This says nothing about the topic, so it is not an error. */
export function wasNotHandled(code: ErrorCode): boolean {
	return NOT_HANDLED.includes(code);
}

/**
 * Whether a topic that was refused with this code is requested again. One that was confirmed before is requested until
 * it works again, even if the server fails.
 */
export function isTransient(code: ErrorCode, wasConfirmed: boolean): boolean {
	return (wasConfirmed ? TRANSIENT : NOT_HANDLED).includes(code);
}
