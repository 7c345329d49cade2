import type { ErrorCode } from '@orijs/websocket/protocol';

const NOT_HANDLED: readonly ErrorCode[] = ['stopping', 'rate_limited', 'too_many_requests'];
const TRANSIENT: readonly ErrorCode[] = [...NOT_HANDLED, 'unavailable', 'timeout', 'internal'];

/**
 * Returns whether the server refused the request without examining it. Such a refusal does not concern the topic, so it
 * is not reported as an error.
 */
export function wasNotHandled(code: ErrorCode): boolean {
	return NOT_HANDLED.includes(code);
}

/**
 * Returns whether to request a topic again that was refused with this code. A topic that was confirmed before is
 * requested until it works again, even if the server fails.
 */
export function isTransient(code: ErrorCode, wasConfirmed: boolean): boolean {
	return (wasConfirmed ? TRANSIENT : NOT_HANDLED).includes(code);
}
