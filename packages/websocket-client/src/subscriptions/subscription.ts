import type {
	Envelope,
	GapNotice,
	InferOutput,
	Position,
	SocketMessage,
	SocketRequestError,
} from '@orijs/websocket/protocol';
import type { MessageListener } from '../message-listener.ts';

/** The outcome of resubscribing to a topic with history after messages may have been missed. */
export interface Recovered {
	/**
	 * Whether all missed messages have just been delivered. If false, none of them has been delivered, and `onGap` is
	 * called as well. The messages of `rewind` follow.
	 */
	readonly recovered: boolean;
	/** The number of messages that were delivered. */
	readonly count: number;
}

/** The same, of one topic. */
export interface RecoveredTopic extends Recovered {
	readonly topic: string;
}

/** Why the server has unsubscribed the client. */
export interface Unsubscribed {
	/** `unsubscribed`, `unavailable`, or a code of the application, such as `kicked`. */
	readonly code: string;
	readonly message: string;
}

/** By whom a client is subscribed to a topic: by the server's decision, by `client.subscribe()`, or by both. */
export type SubscribedBy = 'server' | 'client' | 'both';

/** A topic that a client is subscribed to. */
export interface ClientTopic {
	readonly topic: string;
	readonly by: SubscribedBy;
	/** The position of the last message that was received, if the topic has history. */
	readonly position?: Position | undefined;
}

/** A change of the topics that a client is subscribed to. */
export interface TopicChange {
	readonly topic: string;
	/**
	 * - `subscribed`: the client is subscribed now, or is so by someone else than before
	 * - `unsubscribed`: it is no longer subscribed
	 */
	readonly type: 'subscribed' | 'unsubscribed';
	/** By whom the client is subscribed; with `unsubscribed`, by whom it was. */
	readonly by: SubscribedBy;
	/**
	 * Why the server has ended the subscription, as in `onUnsubscribed`; or `disconnected`: the server had chosen the
	 * topic, and has not done so again on a new connection. Absent if the client has ended it.
	 */
	readonly code?: string;
	readonly message?: string;
}

/** The callbacks of a subscription. None of them is called once the subscription is closed. */
export interface SubscriptionHandlers {
	/**
	 * Called for each message that is published to the topic. Its name is `envelope.name`; `isMessage` narrows the type.
	 * In topics with history, text without a schema has the name `@text`, and bytes have the name `@bytes` and an
	 * `ArrayBuffer` as data.
	 */
	readonly onMessage?: (data: unknown, envelope: Envelope) => unknown;
	/**
	 * Called when messages may be missing, because the server has reported a gap, the client has reconnected, or a loop
	 * over the subscription has fallen behind.
	 */
	readonly onGap?: (gap: GapNotice) => unknown;
	/** Called when the client has resubscribed to a topic with history. */
	readonly onRecovered?: (recovered: Recovered) => unknown;
	/**
	 * Called when the server refuses the topic, at first or after a reconnect, or the messages of `rewind`. This ends
	 * the subscription.
	 */
	readonly onRefused?: (error: SocketRequestError) => unknown;
	/**
	 * Called once when the server has ended a confirmed subscription, for example because someone was removed from a
	 * room. The subscription is over, and is not requested again; `subscribe()` asks again.
	 */
	readonly onUnsubscribed?: (why: Unsubscribed) => unknown;
}

/** The options of a subscription: its callbacks, which messages it receives, and how long it waits and lasts. */
export interface SubscriptionOptions extends SubscriptionHandlers {
	/**
	 * The only kind of message that the subscription receives, which gives its data a type. Default: it receives all
	 * messages of the topic, with data of type `unknown`.
	 */
	readonly message?: SocketMessage | undefined;
	/**
	 * How many of the latest messages of a topic with history are delivered first, from 1 to 100,000, and again after
	 * messages were lost. If they can't be read, or more than 10,000 messages arrive in the meantime, the subscription
	 * is refused. A topic that continues from one of the client's `positions` begins with what was missed instead.
	 * Default: none.
	 */
	readonly rewind?: number | undefined;
	/**
	 * How long the server may take to confirm the subscription, including the wait for a connection, in milliseconds.
	 * After that, the subscription is closed. Default: there is no limit.
	 */
	readonly timeoutMs?: number | undefined;
	/** Closes the subscription, whether or not it is confirmed yet. */
	readonly signal?: AbortSignal | undefined;
	/**
	 * How many messages may wait for a loop over the subscription, from 1 to 1,000,000. Beyond that, the oldest are
	 * dropped, and `onGap` is called when the loop comes to where they were. Default 1,000.
	 */
	readonly buffer?: number | undefined;
}

/** Options with a `message`, which gives the data its type. */
export interface TypedSubscriptionOptions<TMessage extends SocketMessage> extends Omit<
	SubscriptionOptions,
	'message' | 'onMessage'
> {
	/** The only kind of message that the subscription receives. */
	readonly message: TMessage;
	/** Called for each message of this kind that is published to the topic. */
	readonly onMessage?: MessageListener<TMessage>;
}

/** The type of a subscription to messages of one kind. */
export type SubscriptionTo<TMessage extends SocketMessage> = PendingSubscription<InferOutput<TMessage['data']>>;

/**
 * A subscription to a topic. `for await` loops over its messages. Such a loop
 *
 * - ends when the subscription is closed, and closes it when it is left;
 * - ends, after the messages that wait, when the server unsubscribes the client;
 * - throws if the subscription fails: with the server's refusal, or because it was not confirmed in time;
 * - goes on after a reconnect, and after `close()` and `connect()` of the client.
 *
 * Unless there is an `onMessage`, messages that arrive before the loop begins are kept for it, up to ten seconds after
 * the first of them.
 */
export interface Subscription<TData = unknown> extends AsyncIterable<Envelope<TData>> {
	readonly topic: string;
	/**
	 * Ends the subscription, even if the server has not confirmed it yet. Its handlers are no longer called. Resolves
	 * once the server has unsubscribed the client, or immediately if another subscription of this client needs the topic
	 * or there is no connection. Never rejects; can be called more than once.
	 */
	close(): Promise<void>;
}

/** A subscription that can be awaited: resolves, with the same subscription, once the server has confirmed it. */
export interface PendingSubscription<TData = unknown> extends Subscription<TData>, Promise<Subscription<TData>> {}
