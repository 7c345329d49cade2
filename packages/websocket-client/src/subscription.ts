import type { Envelope, GapNotice, SocketRequestError } from '@orijs/websocket/protocol';
import { mustBeFunction } from './must-be-function.ts';

/** What a subscription hears. */
export interface SubscriptionHandlers {
	/** A message was emitted to the topic. Which one, says `envelope.name`; `isMessage` tells, with its type. */
	onMessage?(data: unknown, envelope: Envelope): unknown;
	/** Messages may be missing: the server says so, or the connection was lost and is back. */
	onGap?(gap: GapNotice): unknown;
	/** After a reconnect the server does not let the client in any more: nothing will come. The subscription is over. */
	onRefused?(error: SocketRequestError): unknown;
}

export interface Subscription {
	readonly topic: string;
	/**
	 * Ends it; nothing reaches its handlers from now on. Resolves once the server sends nothing more of the topic, unless another
	 * subscription of this client wants it, or there is no connection. Never rejects; twice is fine.
	 */
	close(): Promise<void>;
}

/** @throws {TypeError} they are none, so that nothing would ever be heard */
export function mustBeHandlers(handlers: SubscriptionHandlers): void {
	if (typeof handlers !== 'object' || handlers === null) {
		throw new TypeError('subscribe() takes an object of handlers, as { onMessage, onGap }');
	}
	for (const name of ['onMessage', 'onGap', 'onRefused'] as const) {
		if (handlers[name] !== undefined) mustBeFunction(handlers[name], name);
	}
}
