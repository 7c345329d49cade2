import type { Envelope, GapNotice, SocketRequestError } from '@orijs/websocket/protocol';
import { mustBeFunction } from '../support/must-be-function.ts';

/** The outcome for messages that were published to a topic with history while this client was disconnected. */
export interface Recovered {
	/** Whether all of these messages have just been delivered. If not, none was, and `onGap` is called as well. */
	readonly recovered: boolean;
	/** How many were delivered. */
	readonly count: number;
}

/** The listeners of a subscription. */
export interface SubscriptionHandlers {
	/**
	 * A message was published to the topic. Its name is `envelope.name`; `isMessage` narrows the type. In topics with
	 * history, text without a schema has the name `@text`, and bytes have the name `@bytes` and an `ArrayBuffer` as
	 * data.
	 */
	readonly onMessage?: (data: unknown, envelope: Envelope) => unknown;
	/** Messages may be missing: the server has reported it, or the client has reconnected. */
	readonly onGap?: (gap: GapNotice) => unknown;
	/** The client has resubscribed to a topic with history. */
	readonly onRecovered?: (recovered: Recovered) => unknown;
	/** The server refused to resubscribe the client after a reconnect. The subscription is over. */
	readonly onRefused?: (error: SocketRequestError) => unknown;
}

/** The listeners of a subscription, and where it starts. */
export interface SubscriptionOptions extends SubscriptionHandlers {
	/**
	 * How many of the last messages of a topic with history are delivered first, 1 to 100,000. Ignored if the client is
	 * subscribed already, or has a position to resume from. Default: none.
	 */
	readonly rewind?: number;
}

export interface Subscription {
	readonly topic: string;
	/**
	 * Ends the subscription. Its handlers are no longer called. Resolves once the server has unsubscribed the client,
	 * or at once if another subscription of this client needs the topic or there is no connection. Never rejects; may be
	 * called twice.
	 */
	close(): Promise<void>;
}

/** @throws {TypeError} a handler or option is invalid */
export function mustBeHandlers(handlers: SubscriptionOptions): void {
	if (typeof handlers !== 'object' || handlers === null) {
		throw new TypeError('subscribe() takes an object of handlers, such as { onMessage, onGap }');
	}
	const { rewind } = handlers;
	if (rewind !== undefined && !(Number.isSafeInteger(rewind) && rewind >= 1 && rewind <= MAX_REWIND)) {
		throw new TypeError(`rewind must be a whole number from 1 to ${MAX_REWIND}, not ${String(rewind)}`);
	}
	for (const name of ['onMessage', 'onGap', 'onRecovered', 'onRefused'] as const) {
		if (handlers[name] !== undefined) mustBeFunction(handlers[name], name);
	}
}

const MAX_REWIND = 100_000;
