import {
	type ActionResult,
	type Logger,
	type Payload,
	type PresenceInfo,
	UnknownSocketError,
	type WebSocketProvider,
} from '@orijs/websocket';
import { quiet, toError } from '@orijs/websocket/internal';
import {
	type InferInput,
	type InferOutput,
	type MessageAndData,
	type RequestMessage,
	type SocketMessage,
	validateToSend,
} from '@orijs/websocket/protocol';
import type { AppSocket, TopicSubscribeOptions, TopicUnsubscribeOptions } from '../app-socket.ts';
import type { AllLimits } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import type { Session } from '../session/session.ts';
import { BoundLogger } from '../support/bound-logger.ts';
import type { ClientRequests, RequestOptions } from './client-requests.ts';
import { type ContextPublishOptions, withOwnId } from './context-publish-options.ts';
import { encodeMessage } from './encode-message.ts';

/** The services that all contexts share. */
export interface ContextServices {
	readonly provider: WebSocketProvider;
	readonly requests: ClientRequests;
	readonly limits: AllLimits;
	readonly refusals: Refusals;
	readonly logger: Logger;
}

/** One connection, as handlers of its messages and hooks see it. */
export abstract class SocketContext<TState extends object = object> {
	readonly #services: ContextServices;
	readonly #session: Session;

	constructor(services: ContextServices, session: Session) {
		this.#services = services;
		this.#session = session;
	}

	/** The connection's state, as set by its guards; shared by all its messages and hooks. */
	get state(): TState {
		return this.#session.values as TState;
	}

	/**
	 * The connection's socket. `ws.publish` skips this socket, except in topics with history; `ctx.publish` does not.
	 */
	get ws(): AppSocket {
		return this.#session.ws;
	}

	get socketId(): string {
		return this.#session.socketId;
	}

	/** Who the user is, as set by the guards or by `upgrade`; undefined if it was not set. */
	get userId(): string | undefined {
		return this.#session.userId;
	}

	/** The topics that the connection is in; once it has ended, those that it was in last. */
	get topics(): ReadonlySet<string> {
		return this.#session.topics;
	}

	/** Aborted when the connection has ended. */
	get signal(): AbortSignal {
		return this.#session.signal;
	}

	/** A logger that adds the socket's id to each line. */
	get log(): Logger {
		return new BoundLogger(this.#services.logger, { socketId: this.socketId });
	}

	/**
	 * Subscribes the socket to a topic. Resolves once messages published on any node reach the socket; a client that
	 * speaks the protocol is told then.
	 *
	 * @param options `past: false` keeps the client from messages that were published before, on topics with history
	 * @throws {TooManyTopicsError} the socket has reached `limits.topicsPerSocket`
	 * @throws {InvalidTopicError} {InvalidOptionError} {UnknownSocketError} {SubscribeError} {ProviderStoppedError}
	 */
	subscribe(topic: string, options?: TopicSubscribeOptions): Promise<void> {
		return this.#session.ws.subscribe(topic, options);
	}

	/**
	 * Unsubscribes the socket from a topic. Does nothing if the socket has closed.
	 *
	 * @param options what a client that speaks the protocol is told: `code`, default `unsubscribed`, and `message`
	 * @throws {InvalidTopicError} {InvalidOptionError}
	 */
	unsubscribe(topic: string, options?: TopicUnsubscribeOptions): Promise<void> {
		return this.#session.ws.unsubscribe(topic, options);
	}

	/**
	 * Sets properties of what others see of this connection's user in a topic, on all nodes; those that are set to
	 * undefined are removed. The application decides: neither `presence.schema` nor the limits for clients apply, and
	 * no client can change these properties. They count while the user has connections to the topic. See
	 * `app.presence.update`.
	 *
	 * @throws {PresenceNotKeptError} the provider's option `presence` does not keep the topic
	 * @throws {InvalidPresenceInfoError} the info is no plain object, has what JSON does not carry, or is too large
	 * @throws everything else that `app.presence.update` throws
	 */
	updatePresence(topic: string, change: PresenceInfo): Promise<ActionResult> {
		const key = this.userId === undefined ? `socket:${this.socketId}` : `user:${this.userId}`;
		return this.#services.provider.presence.update(topic, key, change);
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
