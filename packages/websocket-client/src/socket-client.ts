import {
	type AuthAnswer,
	type Envelope,
	type GapNotice,
	type InferInput,
	type InferOutput,
	InvalidMessageDefinitionError,
	InvalidTopicError,
	isDefinition,
	isTopic,
	type Position,
	type RequestMessage,
	type SocketMessage,
	SocketRequestError,
	validate,
} from '@orijs/websocket/protocol';
import { IncomingRequests, type RequestHandler } from './requests/incoming-requests.ts';
import type { Connection } from './connection/connection.ts';
import { quiet } from './deferred.ts';
import { ClientClosedError, UnsentMessageError } from './errors.ts';
import { type ErrorListener, Failures } from './failures.ts';
import type { Incoming } from './connection/read-frame.ts';
import { ReconnectingConnection } from './connection/reconnecting-connection.ts';
import { Listeners } from './listeners.ts';
import { delay, type Settings, settingsOf, type SocketClientOptions } from './options.ts';
import { gapBetween, missingSince } from './subscriptions/gap-span.ts';
import { SendQueue } from './requests/send-queue.ts';
import { type ClientRequestOptions, Requests } from './requests/requests.ts';
import { encodeMessage } from './requests/encode-message.ts';
import type { ClientState, StateChange } from './connection/state.ts';
import { mustBeHandlers, type Subscription, type SubscriptionOptions } from './subscriptions/subscription.ts';
import { Subscriptions } from './subscriptions/subscriptions.ts';
import { endpointUrl } from './connection/url.ts';

/** What the answer to a message is: as its `reply` says, or null where it has none. */
export type ReplyTo<TMessage extends SocketMessage> = TMessage extends RequestMessage
	? InferOutput<TMessage['reply']>
	: null;

export interface SendOptions {
	/** Whether it may wait for a connection. Default true. False for what is worth nothing later, as that somebody is typing. */
	readonly queue?: boolean;
}

/** The topic of gaps in what is sent to the client itself, or joined for it by the server. */
const TO_THIS_CLIENT = '*';

/**
 * A connection to an endpoint with typed messages, for browsers, Bun and Node. It comes back by itself and its topics with it, and says
 * where messages may be missing.
 *
 * Data is checked against its schema before it is sent. What comes from the server was validated there, and is not again.
 */
export class SocketClient {
	/** Where it connects to, in full. */
	readonly url: string;
	readonly #settings: Settings;
	readonly #failures = new Failures();
	readonly #gapListeners = new Listeners<[GapNotice]>(this.#failures);
	readonly #rawListeners = new Listeners<[string | ArrayBuffer]>(this.#failures);
	readonly #messageListeners = new Map<string, Listeners<[never, Envelope<never>]>>();
	readonly #answering = new IncomingRequests(this.#failures);
	readonly #subscriptions: Subscriptions;
	readonly #outbox: SendQueue;
	readonly #requests: Requests;
	readonly #lifeline: ReconnectingConnection;
	#socketId: string | undefined;
	/** By the server's clock: since when what it sends to this client may be missing. */
	#missingSince: number | undefined;

	/**
	 * Does not connect yet.
	 *
	 * @param url `wss://example.com/ws`; on a page also relative to it, as `/ws`
	 * @throws {InvalidClientOptionError}
	 */
	constructor(url: string | URL, options: SocketClientOptions = {}) {
		this.url = endpointUrl(url);
		this.#settings = settingsOf(options);
		this.#subscriptions = new Subscriptions(this.#failures, (gap) => this.#gap(gap), this.#settings.positions);
		this.#outbox = new SendQueue(this.#settings.queue);
		this.#requests = new Requests(this.#outbox);
		this.#lifeline = new ReconnectingConnection(this.url, this.#settings, this.#failures, {
			ready: (connection, answer) => this.#ready(connection, answer),
			lost: (connection) => this.#lost(connection),
			closed: (error) => this.#closed(error),
			heard: (connection, incoming) => this.#heard(connection, incoming),
			raw: (data) => this.#rawListeners.call(data),
		});
	}

	// Its life

	get state(): ClientState {
		return this.#lifeline.state;
	}

	/** The id that the server knows it by, another one for each connection; undefined unless it is `ready`. */
	get socketId(): string | undefined {
		return this.#socketId;
	}

	/**
	 * Connects, and from then on comes back whenever the connection is lost, until `close()`. Resolves when it is `ready`, however many tries
	 * that takes. While it waits for the next try, this is the next try. After `close()`, or when it has given up, it begins anew, with all
	 * listeners and those subscriptions that were confirmed.
	 *
	 * @throws {ClientClosedError} it has given up, because trying again makes no sense, as when a guard said no; or was closed meanwhile
	 */
	connect(): Promise<void> {
		return this.#lifeline.connect();
	}

	/**
	 * Closes the connection, and stays so. What was sent before arrives; what still waits is refused. Resolves when the connection has ended,
	 * within two seconds. Listeners and subscriptions are kept, for a later `connect()`. Never rejects; twice is fine.
	 */
	close(): Promise<void> {
		return this.#lifeline.close();
	}

	/** Calls `listener` after each change of state. Returns its undo, as all that begin with `on` do. */
	onStateChange(listener: (state: ClientState, change: StateChange) => unknown): () => void {
		return this.#lifeline.onStateChange(listener);
	}

	/**
	 * Hears what fails in the background, where there is no promise to reject, and what was dropped. Without a listener that goes to
	 * `console.error`.
	 */
	onError(listener: ErrorListener): () => void {
		return this.#failures.on(listener);
	}

	// Messages

	/** Calls `listener` with each message of this kind, whatever its topic, which is in `envelope.topic`. Returns its undo. */
	on<TMessage extends SocketMessage>(
		message: TMessage,
		listener: (data: InferOutput<TMessage['data']>, envelope: Envelope<InferOutput<TMessage['data']>>) => unknown,
	): () => void {
		const { name } = mustBeDefinition(message);
		let listeners = this.#messageListeners.get(name);
		if (listeners === undefined) this.#messageListeners.set(name, (listeners = new Listeners(this.#failures)));
		return listeners.add(listener);
	}

	/** Hears what is no message of the protocol: text that was published without a schema, and bytes. Returns its undo. */
	onRaw(listener: (data: string | ArrayBuffer) => unknown): () => void {
		return this.#rawListeners.add(listener);
	}

	/**
	 * Hears of every gap: messages to `gap.topic` that were published between `gap.since` and `gap.until` may be missing. `*` is what was
	 * sent to this client itself, to everyone, or to topics that the server has put it into. Returns its undo.
	 */
	onGap(listener: (gap: GapNotice) => unknown): () => void {
		return this.#gapListeners.add(listener);
	}

	/**
	 * Answers the server's requests of this kind; one handler for each. Returns its undo.
	 *
	 * @throws {Error} there is a handler already; {InvalidMessageDefinitionError} the message has no `reply`
	 */
	handle<TMessage extends RequestMessage>(message: TMessage, handler: RequestHandler<TMessage>): () => void {
		const { name, reply } = mustBeDefinition(message);
		if (reply === undefined) {
			throw new InvalidMessageDefinitionError(`${name} has no reply, so it can't be a request`);
		}
		return this.#answering.handle(name, handler);
	}

	/**
	 * Sends a message that is not answered. Resolves when it is on its way; while there is no connection it waits for one. To know that
	 * it was handled, use `request`, which any message can be: when a connection is lost, what may not have arrived is reported to `onError`
	 * as a number only.
	 *
	 * What it throws is also reported to `onError`, as hardly anybody awaits this; not where `options.queue` is false and it would have to wait.
	 *
	 * @throws {UnsentMessageError} too much waits already, or the client was closed; or the data is no JSON
	 * @throws {MessageValidationError} {InvalidMessageDefinitionError}
	 */
	send<TMessage extends SocketMessage>(
		message: TMessage,
		data: InferInput<TMessage['data']>,
		options: SendOptions = {},
	): Promise<void> {
		const sent = this.#send(message, data, options);
		sent.catch((error: unknown) => {
			const wasGivenUp = error instanceof UnsentMessageError && error.code === 'not_ready';
			if (!wasGivenUp) this.#failures.report(error, 'send');
		});
		return sent;
	}

	async #send(message: SocketMessage, data: unknown, { queue = true }: SendOptions): Promise<void> {
		const checked = validate(message, data);
		// Without waiting where there is nothing to wait for, so that what is sent next goes out next.
		if (checked instanceof Promise) await checked;
		const { name } = message;
		const text = encodeMessage(name, data);
		if (!queue && !this.#outbox.isClear)
			throw new UnsentMessageError(name, 'not_ready', 'there is no connection just now');
		if (this.state === 'closed') throw new UnsentMessageError(name, 'closed', 'the client is closed');
		await new Promise<void>((resolve, reject) => {
			this.#outbox.add({
				name,
				text,
				deliver: (connection) => {
					connection.tell(text);
					resolve();
				},
				refuse: reject,
			});
		});
	}

	/**
	 * Asks the server, and resolves with its answer, as the message's `reply` says; null for a message without one, once it was handled. While
	 * there is no connection it waits for one. A server that is stopping has not handled it: it is asked again after the reconnect.
	 *
	 * @throws {SocketRequestError} with the `code` of the server's refusal; or `timeout`; `disconnected`: the connection was lost, it may have
	 * been handled or not; `too_many_requests`: not sent, as too much waits already
	 * @throws {MessageValidationError} {InvalidMessageDefinitionError} {InvalidClientOptionError} nothing was sent
	 * @throws {UnsentMessageError} the data is no JSON
	 * @throws the reason of `options.signal`
	 */
	request<TMessage extends SocketMessage>(
		message: TMessage,
		data: InferInput<TMessage['data']>,
		options: ClientRequestOptions = {},
	): Promise<ReplyTo<TMessage>> {
		return quiet(this.#request(message, data, options) as Promise<ReplyTo<TMessage>>);
	}

	async #request(message: SocketMessage, data: unknown, { timeoutMs, signal }: ClientRequestOptions): Promise<unknown> {
		const most = delay('timeoutMs', timeoutMs ?? this.#settings.requestTimeoutMs);
		signal?.throwIfAborted();
		const checked = validate(message, data);
		if (checked instanceof Promise) {
			await checked;
			signal?.throwIfAborted();
		}
		const { name } = message;
		if (this.state === 'closed') throw new SocketRequestError(name, 'disconnected', 'the client is closed');
		return this.#requests.ask(name, data, most, signal);
	}

	/**
	 * Subscribes to a topic, which the server has to allow (`authorize.subscribe`). Resolves once messages from every node arrive. The
	 * subscription comes back by itself after each reconnect; what may have been missed is an `onGap`. A topic with history gives back what was
	 * missed first, in order and once, and says so to `onRecovered`.
	 *
	 * @throws {SocketRequestError} the server refused, with its `code`
	 * @throws {InvalidTopicError} {TypeError} handlers are none
	 * @throws {ClientClosedError} the client was closed, or has given up, before the server said yes
	 */
	subscribe(topic: string, handlers: SubscriptionOptions = {}): Promise<Subscription> {
		return quiet(this.#subscribe(topic, handlers));
	}

	async #subscribe(topic: string, handlers: SubscriptionOptions): Promise<Subscription> {
		if (!isTopic(topic)) throw new InvalidTopicError(topic);
		mustBeHandlers(handlers);
		if (this.state === 'closed') throw new ClientClosedError(this.#lifeline.end);
		return this.#subscriptions.add(topic, handlers);
	}

	/**
	 * How far the topics with history were followed, of those subscribed to and those given as `options.positions`: a new object each time. To go on
	 * after a page was reloaded, keep it and give it to the next client.
	 */
	get positions(): Record<string, Position> {
		return this.#subscriptions.positions;
	}

	// Connections

	#ready(connection: Connection, { socketId, timestamp, messagesPerSecond }: AuthAnswer): void {
		this.#socketId = socketId;
		const since = this.#missingSince;
		this.#missingSince = undefined;
		// First the topics: what waited may be about them.
		this.#subscriptions.open(connection);
		this.#outbox.open(connection, messagesPerSecond, this.#subscriptions.cost);
		if (since !== undefined) this.#gap(gapBetween(TO_THIS_CLIENT, since, timestamp));
	}

	#lost({ provenAt }: Connection): void {
		this.#socketId = undefined;
		if (provenAt !== undefined) this.#missingSince ??= missingSince(provenAt);
		this.#outbox.shut();
		this.#subscriptions.lost(provenAt);
	}

	#closed(error: ClientClosedError): void {
		this.#outbox.refuseAll(error.message);
		this.#subscriptions.giveUp(error);
	}

	// What comes

	#heard(connection: Connection, incoming: Exclude<Incoming, { kind: 'answer' | 'raw' }>): void {
		switch (incoming.kind) {
			case 'message':
				return this.#message(connection, incoming.envelope);
			case 'gap':
				return this.#gap(incoming.gap);
			case 'position':
				return this.#subscriptions.placed(incoming.position);
			case 'refusal': {
				const { type, error } = incoming;
				return this.#failures.report(new SocketRequestError(type, error.code, error.message), 'send');
			}
		}
	}

	#message(connection: Connection, envelope: Envelope): void {
		if (envelope.correlationId !== undefined) return void this.#answering.answer(connection, envelope);
		if (!this.#subscriptions.deliver(envelope)) return;
		this.#messageListeners.get(envelope.name)?.call(envelope.data as never, envelope as Envelope<never>);
	}

	#gap(gap: GapNotice): void {
		this.#gapListeners.call(gap);
		this.#subscriptions.gap(gap);
	}
}

function mustBeDefinition<TMessage extends SocketMessage>(message: TMessage): TMessage {
	if (isDefinition(message)) return message;
	throw new InvalidMessageDefinitionError('make messages with SocketMessage.define({ name, data })');
}
