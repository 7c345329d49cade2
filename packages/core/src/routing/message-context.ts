import {
	type Logger,
	type Payload,
	type PublishOptions,
	UnknownSocketError,
	type WebSocketProvider,
} from '@orijs/websocket';
import {
	type ClientMessage,
	type InferInput,
	type InferOutput,
	SocketError,
	type RequestMessage,
	type SocketMessage,
	validate,
} from '@orijs/websocket/protocol';
import type { AppSocket } from '../app-socket.ts';
import { BoundLogger } from '../support/bound-logger.ts';
import type { AllLimits } from '../limits.ts';
import { quiet } from '../support/quiet.ts';
import type { Refusals } from '../refusals.ts';
import type { Session } from '../session/session.ts';
import type { ClientRequests, RequestOptions } from './client-requests.ts';
import { encodeMessage } from './encode-message.ts';

/** What the contexts of all messages share. */
export interface ContextServices {
	readonly provider: WebSocketProvider;
	readonly requests: ClientRequests;
	readonly limits: AllLimits;
	readonly refusals: Refusals;
	readonly logger: Logger;
}

/** What a message's handler and its guards know and may do. */
export class MessageContext<TMessage extends SocketMessage = SocketMessage, TState extends object = object> {
	/** The message's name. */
	readonly type: string;
	/** What ties the answer to the request; undefined for a message that is no request. */
	readonly correlationId: string | undefined;
	/** Valid, and as the schema made it. */
	readonly data: InferOutput<TMessage['data']>;
	readonly #services: ContextServices;
	readonly #session: Session;
	/** Whether it was answered, or needs no answer any more. */
	#isSettled = false;

	/** Made for each message; not for applications to make. */
	constructor(services: ContextServices, session: Session, { type, data, correlationId }: ClientMessage) {
		this.type = type;
		this.correlationId = correlationId;
		this.data = data;
		this.#services = services;
		this.#session = session;
	}

	/** What the connection's guards have set. */
	get state(): TState {
		return this.#session.values as TState;
	}

	/** The socket the message came from. Its `publish` leaves that socket out, but for topics with history; the context's reaches everyone. */
	get ws(): AppSocket {
		return this.#session.ws;
	}

	get socketId(): string {
		return this.#session.socketId;
	}

	/** Aborted when the socket has closed. */
	get signal(): AbortSignal {
		return this.#session.signal;
	}

	/** Says with each line which socket, message and request it is about. */
	get log(): Logger {
		const { socketId, type, correlationId } = this;
		return new BoundLogger(this.#services.logger, { socketId, type, correlationId });
	}

	/**
	 * Puts the socket into a topic. Resolves once messages from every node will arrive.
	 *
	 * @throws {SocketError} `too_many_topics`: it is in `limits.topicsPerSocket` of them
	 * @throws {InvalidTopicError} {UnknownSocketError} {SubscribeError} {ProviderStoppedError}
	 */
	subscribe(topic: string): Promise<void> {
		const { provider, limits, refusals } = this.#services;
		const { topics } = this.#session;
		if (topics.size >= limits.topicsPerSocket && !topics.has(topic)) {
			refusals.add('topics', { socketId: this.socketId, topic });
			const error = new SocketError('too_many_topics', `A connection may be in ${limits.topicsPerSocket} topics`);
			return quiet(Promise.reject(error));
		}
		return provider.subscribe(this.socketId, topic);
	}

	/** Takes the socket out of a topic. @throws {InvalidTopicError} */
	unsubscribe(topic: string): Promise<void> {
		return this.#services.provider.unsubscribe(this.socketId, topic);
	}

	/** Sends to everyone in the topic, on every node, this socket included. As `SocketEmitter.publish`. */
	publish(topic: string, payload: Payload, options?: PublishOptions): Promise<void> {
		return this.#services.provider.publish(topic, payload, options);
	}

	/** Sends a typed message to everyone in the topic, on every node, this socket included. As `SocketEmitter.emit`. */
	emit<T extends SocketMessage>(
		message: T,
		topic: string,
		data: InferInput<T['data']>,
		options?: PublishOptions,
	): Promise<void> {
		return this.#services.provider.emit(message, topic, data, options);
	}

	/**
	 * Sends a typed message to this socket alone.
	 *
	 * @throws {MessageValidationError} {InvalidPayloadError} nothing was sent; {UnknownSocketError} it has closed
	 */
	send<T extends SocketMessage>(message: T, data: InferInput<T['data']>): Promise<void> {
		return quiet(sendTo(this.#session, message, data));
	}

	/** Asks this socket's client, and resolves with its answer. As `app.socket.request`. */
	request<T extends RequestMessage>(
		message: T,
		data: InferInput<T['data']>,
		options?: RequestOptions,
	): Promise<InferOutput<T['reply']>> {
		const session = this.#session;
		session.expectReply();
		const reply = this.#services.requests.request(this.socketId, message, data, options);
		void quiet(reply.finally(() => session.expectReplyNoMore()));
		return reply;
	}

	/** For the dispatcher: sets the data once it is validated. */
	static setData(ctx: MessageContext, data: unknown): void {
		(ctx as { data: unknown }).data = data;
	}

	/** For the dispatcher: a message is answered once. Returns whether it still is to be. */
	static settle(ctx: MessageContext): boolean {
		if (ctx.#isSettled) return false;
		ctx.#isSettled = true;
		return true;
	}
}

async function sendTo<T extends SocketMessage>(
	session: Session,
	message: T,
	data: InferInput<T['data']>,
): Promise<void> {
	const valid = validate(message, data);
	const text = encodeMessage(message, valid instanceof Promise ? await valid : valid);
	if (session.state === 'closed') throw new UnknownSocketError(session.socketId);
	session.send(text);
}
