import {
	type Envelope,
	type GapNotice,
	type HistoryAnswer,
	type InferInput,
	type MessageAndData,
	type MessageAndHandler,
	type Position,
	type RequestMessage,
	type SocketMessage,
} from '@orijs/websocket/protocol';
import { type PingOptions, ReconnectingConnection } from './connection/reconnecting-connection.ts';
import type { ClientState, StateChange } from './connection/client-state.ts';
import { endpointUrl } from './connection/url.ts';
import { ClientClosedError } from './errors.ts';
import { type ErrorListener, Failures } from './failures.ts';
import type { MessageListener } from './message-listener.ts';
import { settingsOf, type SocketClientOptions } from './options.ts';
import type { PresenceHandle, PresenceInfo, PresenceOptions } from './presence/presence.ts';
import { Presences } from './presence/presences.ts';
import { history, type HistoryOptions } from './requests/history.ts';
import { IncomingMessages } from './requests/incoming-messages.ts';
import { addHandler, type RequestHandler } from './requests/incoming-requests.ts';
import { type ClientRequestOptions, type ReplyTo, request } from './requests/request.ts';
import { SendQueue } from './requests/send-queue.ts';
import { send, type SendOptions } from './requests/send.ts';
import { Positions } from './positions/positions.ts';
import type {
	ClientTopic,
	PendingSubscription,
	RecoveredTopic,
	SubscriptionOptions,
	SubscriptionTo,
	TopicChange,
	TypedSubscriptionOptions,
} from './subscriptions/subscription.ts';
import { Subscriptions } from './subscriptions/subscriptions.ts';
import { quiet } from './support/promises.ts';

/**
 * A connection to an endpoint with typed messages, for browsers, React Native, Bun and Node. Reconnects and
 * resubscribes automatically, and reports gaps in which messages may be missing.
 *
 * Data is validated against its schema before it is sent. Data from the server has been validated by the server, and is
 * not validated again.
 */
export class SocketClient {
	/** The full URL of the endpoint; if it was relative and there is no page, as it was given. */
	readonly url: string;
	readonly #failures = new Failures();
	readonly #positions: Positions;
	readonly #subscriptions: Subscriptions;
	readonly #messages: IncomingMessages;
	readonly #sendQueue: SendQueue;
	readonly #presences: Presences;
	readonly #requestTimeoutMs: number;
	readonly #connection: ReconnectingConnection;
	#socketId: string | undefined;

	/**
	 * Creates a client that is not connected yet.
	 *
	 * @param url for example `wss://example.com/ws`; on a page, also a relative URL such as `/ws`. Where there is no
	 * page, as on a server that renders one, a client with a relative URL can be created, but not connected.
	 * @throws {InvalidClientOptionError} the URL or an option is invalid
	 */
	constructor(url: string | URL, options: SocketClientOptions = {}) {
		this.url = endpointUrl(url);
		const settings = settingsOf(options);
		this.#requestTimeoutMs = settings.requestTimeoutMs;
		this.#positions = new Positions(settings.positions, this.url, this.#failures);
		this.#subscriptions = new Subscriptions(
			this.#failures,
			this.#positions,
			() => this.#sendQueue.flush(),
			(topic, page) => this.history(topic, page),
			(topic, isIn) => this.#presences.moved(topic, isIn),
		);
		this.#sendQueue = new SendQueue(settings.queue, this.#subscriptions.server, this.#closed);
		this.#presences = new Presences(
			this.#failures,
			this.#sendQueue,
			(topic) => this.#subscriptions.isComing(topic),
			this.#closed,
		);
		this.#messages = new IncomingMessages(this.#failures, this.#subscriptions, (type, notice) =>
			this.#presences.notice(type, notice),
		);
		this.#connection = new ReconnectingConnection(this.url, settings, this.#failures, {
			ready: (connection, answer) => {
				this.#socketId = answer.socketId;
				// Subscriptions come first, because queued messages may concern their topics.
				this.#subscriptions.open(connection);
				this.#presences.open();
				this.#sendQueue.open(connection);
				this.#subscriptions.opened(answer);
			},
			answered: (answer) => this.#subscriptions.answered(answer),
			lost: (connection, isClosing) => {
				const wasReady = this.#socketId !== undefined;
				this.#socketId = undefined;
				this.#sendQueue.shut();
				this.#subscriptions.shut(connection, wasReady);
				this.#presences.shut(isClosing);
			},
			closed: (error) => {
				this.#sendQueue.refuseAll();
				this.#subscriptions.rejectUnconfirmed(error);
				this.#presences.closed(error);
			},
			received: (connection, frame, raw) => this.#messages.received(connection, frame, raw),
		});
	}

	// Connection

	get state(): ClientState {
		return this.#connection.state;
	}

	/** The server's id for the current connection. Undefined unless the state is `ready`. */
	get socketId(): string | undefined {
		return this.#socketId;
	}

	/**
	 * Connects, and reconnects whenever the connection is lost, until `close()`. Resolves when the state is `ready`,
	 * however many attempts that takes. If the client is waiting before its next attempt, the attempt is made
	 * immediately. If the state is `ready` already, pings the server, as `ping()` does, and resolves when it has
	 * answered or, if it does not, when a new connection is ready. After `close()`, or once the client has stopped
	 * reconnecting, `connect()` starts over, with all listeners and all confirmed subscriptions.
	 *
	 * @throws {InvalidClientOptionError} there is no `WebSocket` class, or the URL is relative and there is no page; the
	 * state is unchanged
	 * @throws {ClientClosedError} the client stopped reconnecting because further attempts are pointless, for example
	 * because a guard rejected it, or because `reconnect` allows no more of them; or it was closed in the meantime
	 */
	connect(): Promise<void> {
		return quiet(this.#connection.connect());
	}

	/**
	 * Pings the server, and resolves with the round trip in milliseconds. If nothing arrives from the server for
	 * `timeoutMs` (default 4,000), and nothing that was sent before is still being written, drops the connection and
	 * reconnects. Concurrent calls share one ping. Pings in quick succession wait, so that they use at most half of the
	 * server's rate.
	 *
	 * @throws {SocketRequestError} with the code `disconnected`: the state is not `ready`, or the connection ended; or
	 * with the code with which the server refused the ping, such as `rate_limited`
	 * @throws {InvalidClientOptionError} `timeoutMs` is invalid
	 */
	ping(options: PingOptions = {}): Promise<number> {
		return quiet(this.#connection.ping(options));
	}

	/**
	 * Calls `auth()` again, and resolves once the server has accepted the result on the live connection. Nothing is
	 * missed meanwhile. Needed only if something other than the time has changed, such as the user's rights: credentials
	 * that expire are renewed automatically.
	 *
	 * @throws {SocketRequestError} with the code `disconnected`: the state is not `ready`, or the connection has ended,
	 * as it does if a guard rejects the credentials; or with the code of the server's refusal, such as `unavailable`.
	 * The earlier credentials then remain in force
	 * @throws what `auth` throws, and an error if it takes too long
	 */
	renew(): Promise<void> {
		return quiet(this.#connection.renew());
	}

	/**
	 * Closes the connection and stops reconnecting. Messages already sent still arrive; queued ones are refused.
	 * Resolves when the connection has ended, within two seconds. Listeners and subscriptions are kept for a later
	 * `connect()`. Never rejects; can be called more than once.
	 */
	close(): Promise<void> {
		this.#positions.write();
		return this.#connection.close();
	}

	/**
	 * Calls `listener` after each change of state, in order. If a listener has changed the state again, as with
	 * `close()`, `client.state` is the newer state already. Like all methods that begin with `on`, returns a function
	 * that removes the listener.
	 */
	onStateChange(listener: (state: ClientState, change: StateChange) => unknown): () => void {
		return this.#connection.states.add(listener);
	}

	/**
	 * Calls `listener` with errors for which there is no promise to reject, and with the errors of `send`. Without a
	 * listener, they are printed with `console.error`.
	 */
	onError(listener: ErrorListener): () => void {
		return this.#failures.on(listener);
	}

	// Messages

	/** Calls `listener` with each message of this kind, whatever its topic (`envelope.topic`). */
	on<TMessage extends SocketMessage>(message: TMessage, listener: MessageListener<TMessage>): () => void {
		return this.#messages.on(message, listener);
	}

	/**
	 * Calls `listener` with every message that has an envelope, whatever its name and topic, after the listeners of its
	 * kind. On topics with history, that includes text (`@text`) and bytes (`@bytes`).
	 */
	onAny(listener: (envelope: Envelope) => unknown): () => void {
		return this.#messages.any.add(listener);
	}

	/** Calls `listener` with text and bytes that were published without a schema. */
	onRaw(listener: (data: string | ArrayBuffer) => unknown): () => void {
		return this.#messages.raw.add(listener);
	}

	/**
	 * Calls `listener` with every gap: messages to `gap.topic` that were published between `gap.since` and `gap.until`
	 * may be missing. The topic `*` stands for messages to this client itself or to all clients.
	 */
	onGap(listener: (gap: GapNotice) => unknown): () => void {
		return this.#subscriptions.gaps.add(listener);
	}

	/**
	 * Calls `listener` when the client is subscribed again to a topic with history, by its own decision or the server's,
	 * with whether the missed messages were delivered.
	 */
	onRecovered(listener: (recovered: RecoveredTopic) => unknown): () => void {
		return this.#subscriptions.recoveries.add(listener);
	}

	/**
	 * Calls `listener` after each change of `topics`: someone has subscribed the client or ended that. Messages of
	 * topics that the server has chosen arrive at the listeners of `on`.
	 */
	onTopicsChange(listener: (change: TopicChange) => unknown): () => void {
		return this.#subscriptions.topics.changes.add(listener);
	}

	/**
	 * The topics that the client is subscribed to: confirmed subscriptions, and those that the server has decided. While
	 * there is no connection, they remain; those that the server had chosen until the next connection is ready. Each
	 * access returns a new array.
	 */
	get topics(): readonly ClientTopic[] {
		return this.#subscriptions.topics.subscribed;
	}

	/** Exists for the compiler's error about a call without a handler. */
	handle(message: MessageAndHandler): never;
	/**
	 * Sets the handler that answers the server's requests of this kind. Each kind can have one handler. Returns a
	 * function that removes it.
	 *
	 * @throws {DuplicateHandlerError} the message already has a handler
	 * @throws {InvalidMessageDefinitionError} the message has no `reply`
	 * @throws {TypeError} the handler is not a function
	 */
	handle<TMessage extends RequestMessage>(message: TMessage, handler: RequestHandler<TMessage>): () => void;
	handle(message: never, handler?: unknown): () => void {
		return addHandler(this.#messages.handlers, message, handler as never);
	}

	/**
	 * Sends a message without waiting for an answer. Resolves when it is on its way. While there is no connection, or
	 * the server's rate limit allows no more, it is queued. To find out whether it was handled, use `request`, which
	 * accepts any message: after `send`, a lost connection is only reported to `onError`, with the number of messages
	 * that may not have arrived.
	 *
	 * Errors also go to `onError`, because few callers await this promise. The exceptions are a message that would have
	 * to wait although `options.queue` is false, and one replaced by a newer one with the same `options.latest`.
	 *
	 * @throws {UnsentMessageError} the message was not sent, for the reason given by `code`
	 * @throws {MessageValidationError} {InvalidMessageDefinitionError} {InvalidClientOptionError} an argument is
	 * invalid; nothing was sent
	 */
	send<TMessage extends SocketMessage>(
		message: TMessage,
		data: InferInput<TMessage['data']>,
		options: SendOptions = {},
	): Promise<void> {
		return quiet(send(this.#sendQueue, this.#failures, message, data, options));
	}

	/** Exists for the compiler's error about a call without data. */
	request(message: MessageAndData): never;
	/**
	 * Sends a request. Once the server has handled it, resolves with the answer, or with null if the message defines no
	 * `reply`. While there is no connection, or the server's rate limit allows no more, the request is queued. If the
	 * server stops without handling it, it is sent again after the client has reconnected.
	 *
	 * @throws {SocketRequestError} with the `code` of the server's refusal, or `timeout`, or `disconnected` (the
	 * connection was lost, and the server may or may not have handled the request), `too_many_requests` (not sent,
	 * because the queue is full), or `too_large` (not sent, because the server does not accept so large a message)
	 * @throws {MessageValidationError} {InvalidMessageDefinitionError} {InvalidClientOptionError} an argument is
	 * invalid; nothing was sent
	 * @throws {UnsentMessageError} `data` has a value that can't be sent
	 * @throws the reason of `options.signal`
	 */
	request<TMessage extends SocketMessage>(
		message: TMessage,
		data: InferInput<TMessage['data']>,
		options?: ClientRequestOptions,
	): Promise<ReplyTo<TMessage>>;
	request(message: never, data?: unknown, options: ClientRequestOptions = {}): Promise<never> {
		return quiet(request(this.#sendQueue, this.#requestTimeoutMs, message, data, options) as Promise<never>);
	}

	/**
	 * Subscribes to a topic, which the server must allow (`authorize.subscribe`) unless it has subscribed the client to
	 * the topic itself. Returns the subscription immediately, so that it can be closed at any time, looped over with
	 * `for await`, and awaited: it resolves once messages published on any node reach the client. With
	 * `options.message`, it receives only messages of that kind.
	 *
	 * The client resubscribes after each reconnect, and reports to `onGap` the time in which messages may have been
	 * missed. For a topic with history, it instead delivers the missed messages, in order and once each, and then calls
	 * `onRecovered`. It calls `onGap` only if they can't be recovered.
	 *
	 * The promise rejects as follows; nothing is thrown, and no rejection is unhandled. Invalid arguments, and a client
	 * that is closed already, are also passed to the error listeners.
	 *
	 * @throws {SocketRequestError} with the `code` of the server's refusal, or `timeout`, or `closed` (it was closed
	 * before the server confirmed it)
	 * @throws {InvalidTopicError} {InvalidClientOptionError} {InvalidMessageDefinitionError} an argument is invalid
	 * @throws {ClientClosedError} the client was closed, or stopped reconnecting, before the server confirmed the
	 * subscription
	 * @throws the reason of `options.signal`
	 */
	subscribe<TMessage extends SocketMessage>(
		topic: string,
		options: TypedSubscriptionOptions<TMessage>,
	): SubscriptionTo<TMessage>;
	subscribe(topic: string, options?: SubscriptionOptions): PendingSubscription;
	subscribe(topic: string, options: SubscriptionOptions = {}): PendingSubscription {
		return this.#subscriptions.add(topic, options, this.#closed());
	}

	/**
	 * Follows who is in a topic, on all nodes: everyone who is there, and then each change. Returns a handle at once,
	 * and never throws. Refusals, invalid arguments and a client that is closed already reject `ready` of the handle,
	 * and are also passed to the error listeners.
	 *
	 * By default, the server tells only those who are in the topic who its members are. The handle waits until the
	 * client is subscribed to the topic, by itself or by the server.
	 *
	 * While the client is closed, `onChange` is not called: `isStale` is true, without a change.
	 *
	 * @typeParam TInfo the type of members' info. With `options.schema`, it is that of its output, and checked. Without
	 * one, nothing checks it.
	 */
	presence<TInfo extends object = PresenceInfo>(
		topic: string,
		options: PresenceOptions<TInfo> = {},
	): PresenceHandle<TInfo> {
		return this.#presences.add(topic, options as never) as PresenceHandle<never>;
	}

	/**
	 * Reads messages of a topic with history, which the server must allow as it allows subscribing. The client need not
	 * be subscribed to the topic. To page, pass the `position` of the first message as `before`, or of the last one as
	 * `since`. Waits for a connection, like `request`.
	 *
	 * @throws {SocketRequestError} with the `code` of the server's refusal, such as `forbidden`, `invalid_data` (the
	 * topic has no history, or an option is invalid) or `unavailable`; or as described for `request`
	 * @throws {InvalidTopicError} {InvalidClientOptionError} an argument is invalid; nothing was sent
	 * @throws the reason of `options.signal`
	 */
	history(topic: string, options: HistoryOptions = {}): Promise<HistoryAnswer> {
		return quiet(history(this.#sendQueue, this.#requestTimeoutMs, topic, options));
	}

	/**
	 * The positions of the topics with history that the client is subscribed to: the last messages whose listeners have
	 * been called. Includes those of an earlier client, if given as `options.positions`, that are not used yet. Each
	 * access returns a new object, from which another client can resume.
	 */
	get positions(): Record<string, Position> {
		return this.#subscriptions.positions;
	}

	/** Returns the error of calls on a closed client. */
	readonly #closed = (): ClientClosedError | undefined =>
		this.state === 'closed' ? new ClientClosedError(this.#connection.end) : undefined;
}
