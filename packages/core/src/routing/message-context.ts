import { type Logger, type Payload, UnknownSocketError, type WebSocketProvider } from '@orijs/websocket';
import { escapeText, quiet, toError } from '@orijs/websocket/internal';
import {
	type ClientMessage,
	type InferInput,
	type InferOutput,
	type MessageAndData,
	SocketError,
	type RequestMessage,
	type SocketMessage,
	validateToSend,
} from '@orijs/websocket/protocol';
import type { AppSocket } from '../app-socket.ts';
import type { AllLimits } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import type { Session } from '../session/session.ts';
import { exceedsTopicLimit } from '../session/topic-limit.ts';
import { unsubscribeOwnSocket } from '../session/unsubscribe-own-socket.ts';
import { BoundLogger } from '../support/bound-logger.ts';
import type { ClientRequests, RequestOptions } from './client-requests.ts';
import { type ContextPublishOptions, withOwnId } from './context-publish-options.ts';
import { encodeMessage } from './encode-message.ts';
import { tooManyTopics } from './refusal-texts.ts';

/** The services that the contexts of all messages share. */
export interface ContextServices {
	readonly provider: WebSocketProvider;
	readonly requests: ClientRequests;
	readonly limits: AllLimits;
	readonly refusals: Refusals;
	readonly logger: Logger;
}

/** The argument of a message's guards and handler. */
export class MessageContext<TMessage extends SocketMessage = SocketMessage, TState extends object = object> {
	/** The message's name. */
	readonly type: string;
	/** Identifies the request that an answer belongs to; undefined if the message is not a request. */
	readonly correlationId: string | undefined;
	/** The message's data: the output of its schema. */
	readonly data: InferOutput<TMessage['data']>;
	readonly #services: ContextServices;
	readonly #session: Session;
	/** Whether the message has been answered or has timed out. */
	#isSettled = false;

	/** Created for each message by the application; do not create one yourself. */
	constructor(services: ContextServices, session: Session, { type, data, correlationId }: ClientMessage) {
		this.type = type;
		this.correlationId = correlationId;
		this.data = data;
		this.#services = services;
		this.#session = session;
	}

	/** The connection's state, as set by its guards; shared by all its messages. */
	get state(): TState {
		return this.#session.values as TState;
	}

	/**
	 * The socket that sent the message. `ws.publish` skips this socket, except in topics with history; `ctx.publish`
	 * does not skip it.
	 */
	get ws(): AppSocket {
		return this.#session.ws;
	}

	get socketId(): string {
		return this.#session.socketId;
	}

	/** Aborted when the socket closes. */
	get signal(): AbortSignal {
		return this.#session.signal;
	}

	/** A logger that adds the socket's id, the message's name and its correlation id to each line. */
	get log(): Logger {
		const { socketId, correlationId } = this;
		// The client chooses the correlation id, and the name of a message that only `onUnknown` handles.
		const type = escapeText(this.type);
		const id = correlationId === undefined ? undefined : escapeText(correlationId);
		return new BoundLogger(this.#services.logger, { socketId, type, correlationId: id });
	}

	/**
	 * Subscribes the socket to a topic. Resolves once messages published on any node reach the socket.
	 *
	 * @throws {SocketError} `too_many_topics`: the socket has reached `limits.topicsPerSocket`
	 * @throws {InvalidTopicError} {UnknownSocketError} {SubscribeError} {ProviderStoppedError}
	 */
	subscribe(topic: string): Promise<void> {
		const { provider, limits, refusals } = this.#services;
		const { topics } = this.#session;
		if (exceedsTopicLimit(topics, topic, limits)) {
			refusals.add('topics', { socketId: this.socketId, topic });
			const error = new SocketError('too_many_topics', tooManyTopics(limits.topicsPerSocket));
			return quiet(Promise.reject(error));
		}
		return provider.subscribe(this.socketId, topic);
	}

	/** Unsubscribes the socket from a topic. Does nothing if the socket has closed. @throws {InvalidTopicError} */
	unsubscribe(topic: string): Promise<void> {
		return unsubscribeOwnSocket(this.#services.provider, this.socketId, topic);
	}

	/**
	 * Sends to all subscribers of a topic, on every node: this socket included, unless `except` is `'self'`. See
	 * `SocketEmitter.publish`.
	 */
	publish(topic: string, payload: Payload, options?: ContextPublishOptions): Promise<void> {
		return this.#services.provider.publish(topic, payload, withOwnId(options, this.socketId));
	}

	/**
	 * Sends a typed message to all subscribers of a topic, on every node: this socket included, unless `except` is
	 * `'self'`. See `SocketEmitter.emit`.
	 */
	emit<T extends SocketMessage>(
		message: T,
		topic: string,
		data: InferInput<T['data']>,
		options?: ContextPublishOptions,
	): Promise<void> {
		return this.#services.provider.emit(message, topic, data, withOwnId(options, this.socketId));
	}

	/**
	 * Sends a typed message to this socket only.
	 *
	 * @throws {MessageValidationError} {UnsupportedValueError} {InvalidMessageDefinitionError} nothing was sent
	 * @throws {UnknownSocketError} the socket has closed
	 */
	send<T extends SocketMessage>(message: T, data: InferInput<T['data']>): Promise<void> {
		return sendTo(this.#session, this.#services.requests, message, data);
	}

	/** Exists for the compiler's error about a call without data. */
	request(message: MessageAndData): never;
	/** Sends a request to this socket's client and resolves with its reply. See `app.socket.request`. */
	request<T extends RequestMessage>(
		message: T,
		data: InferInput<T['data']>,
		options?: RequestOptions,
	): Promise<InferOutput<T['reply']>>;
	request(message: never, data?: unknown, options?: RequestOptions): Promise<never> {
		const session = this.#session;
		session.inbound.expectReply();
		const { requests } = this.#services;
		const reply = requests.ask(this.socketId, message, data as never, options);
		void quiet(reply.finally(() => session.inbound.replySettled()));
		return requests.calls.watch<never>(reply);
	}

	/** Internal: sets the validated data. */
	static setData(ctx: MessageContext, data: unknown): void {
		(ctx as { data: unknown }).data = data;
	}

	/** Internal: marks the message as answered. Returns false if it already was. */
	static settle(ctx: MessageContext): boolean {
		if (ctx.#isSettled) return false;
		ctx.#isSettled = true;
		return true;
	}
}

function sendTo<T extends SocketMessage>(
	session: Session,
	{ order, calls }: ClientRequests,
	message: T,
	data: InferInput<T['data']>,
): Promise<void> {
	const send = (valid: unknown): void => {
		const text = encodeMessage(message, valid);
		if (session.state === 'closed') throw new UnknownSocketError(session.socketId);
		session.send(text);
	};
	try {
		const sent = order.run(session.socketId, validateToSend(message, data), send);
		return sent instanceof Promise ? calls.watch(sent) : SENT;
	} catch (thrown) {
		return calls.refuse(toError(thrown));
	}
}

const SENT = Promise.resolve();
