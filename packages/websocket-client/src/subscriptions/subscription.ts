import type { Envelope, GapNotice, SocketRequestError } from '@orijs/websocket/protocol';
import { mustBeFunction } from '../support/must-be-function.ts';

/** What happened to the messages that were published to a topic with history while this client was disconnected. */
export interface Recovered {
	/**
	 * Whether all of these messages have just been delivered. If false, none of them was, and `onGap` is called as well.
	 */
	readonly recovered: boolean;
	/** The number of messages that were delivered. */
	readonly count: number;
}

/** The callbacks of a subscription. */
export interface SubscriptionHandlers {
	/**
	 * Called for each message that is published to the topic. Its name is `envelope.name`; `isMessage` narrows the type.
	 * In topics with history, text without a schema has the name `@text`, and bytes have the name `@bytes` and an
	 * `ArrayBuffer` as data.
	 */
	readonly onMessage?: (data: unknown, envelope: Envelope) => unknown;
	/** Called when messages may be missing, because the server has reported a gap or the client has reconnected. */
	readonly onGap?: (gap: GapNotice) => unknown;
	/** Called when the client has resubscribed to a topic with history. */
	readonly onRecovered?: (recovered: Recovered) => unknown;
	/** Called when the server refuses to resubscribe the client after a reconnect. This ends the subscription. */
	readonly onRefused?: (error: SocketRequestError) => unknown;
}

/** The callbacks of a subscription, and where it starts. */
export interface SubscriptionOptions extends SubscriptionHandlers {
	/**
	 * How many of the latest messages of a topic with history are delivered first, from 1 to 100,000. Ignored if the
	 * client is already subscribed, or has a position to resume from. Default: none.
	 */
	readonly rewind?: number;
}

export interface Subscription {
	readonly topic: string;
	/**
	 * Ends the subscription. Its handlers are no longer called. Resolves once the server has unsubscribed the client, or
	 * immediately if another subscription of this client needs the topic or there is no connection. Never rejects; can
	 * be called more than once.
	 */
	close(): Promise<void>;
}

/** Validates the options of a subscription. @throws {TypeError} a handler or option is invalid */
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
