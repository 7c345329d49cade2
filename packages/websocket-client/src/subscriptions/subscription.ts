import type { Envelope, GapNotice, SocketRequestError } from '@orijs/websocket/protocol';
import { mustBeFunction } from '../support/must-be-function.ts';

/** What became of the messages that were published to a topic with history while this client was away. */
export interface Recovered {
	/** Whether they came, all of them, right before this. If not, none did, and an `onGap` says since when they are missing. */
	readonly recovered: boolean;
	/** How many came. */
	readonly count: number;
}

/** What a subscription hears. */
export interface SubscriptionHandlers {
	/**
	 * A message was published to the topic. Which one, says `envelope.name`; `isMessage` tells, with its type. Text without a schema, of a topic
	 * with history, has the name `@text`; bytes of such a topic `@bytes`, with an `ArrayBuffer` as data.
	 */
	readonly onMessage?: (data: unknown, envelope: Envelope) => unknown;
	/** Messages may be missing: the server says so, or the connection was lost and is back. */
	readonly onGap?: (gap: GapNotice) => unknown;
	/** The client is back in a topic with history, after it was away. */
	readonly onRecovered?: (recovered: Recovered) => unknown;
	/** After a reconnect the server does not let the client in any more: nothing will come. The subscription is over. */
	readonly onRefused?: (error: SocketRequestError) => unknown;
}

/** What a subscription hears, and with which messages it begins. */
export interface SubscriptionOptions extends SubscriptionHandlers {
	/**
	 * How many of the last messages of a topic with history come first, 1 to 100,000, if the client is not in the topic already and has no
	 * position to resume it from. Default: none.
	 */
	readonly rewind?: number;
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
export function mustBeHandlers(handlers: SubscriptionOptions): void {
	if (typeof handlers !== 'object' || handlers === null) {
		throw new TypeError('subscribe() takes an object of handlers, such as { onMessage }');
	}
	const { rewind } = handlers;
	if (rewind !== undefined && !(Number.isSafeInteger(rewind) && rewind >= 1 && rewind <= MOST_REWIND)) {
		throw new TypeError(`rewind is a whole number from 1 to ${MOST_REWIND}, not ${String(rewind)}`);
	}
	for (const name of ['onMessage', 'onGap', 'onRecovered', 'onRefused'] as const) {
		if (handlers[name] !== undefined) mustBeFunction(handlers[name], name);
	}
}

const MOST_REWIND = 100_000;
