import {
	BuiltIn,
	type Envelope,
	mustBeDefinition,
	type PresenceNotice,
	type SocketMessage,
	SocketRequestError,
	type UnwatchedNotice,
} from '@orijs/websocket/protocol';
import type { Connection } from '../connection/connection.ts';
import type { ServerFrame } from '../connection/read-frame.ts';
import type { Failures } from '../failures.ts';
import type { MessageListener } from '../message-listener.ts';
import type { Listeners } from '../support/listeners.ts';
import { answerRequest, type Handlers } from './incoming-requests.ts';

/** What messages of topics, and notices about topics, are passed to first. */
export interface TopicListeners {
	/** Returns whether to pass the message to other listeners as well. */
	deliver(envelope: Envelope): boolean;
	notice(connection: Connection, type: string, data: unknown): void;
}

export type PresenceListener = (type: string, notice: PresenceNotice | UnwatchedNotice) => void;

/** Passes on what arrives: messages and notices, requests of the server, and text and bytes of the application. */
export class IncomingMessages {
	readonly #failures: Failures;
	readonly #topics: TopicListeners;
	readonly #presence: PresenceListener;
	readonly handlers: Handlers = new Map();
	/** By message name. */
	readonly #byName = new Map<string, Listeners<[never, Envelope<never>]>>();
	readonly any: Listeners<[Envelope]>;
	readonly raw: Listeners<[string | ArrayBuffer]>;

	/** @param presence called for notices about the members of topics */
	constructor(failures: Failures, topics: TopicListeners, presence: PresenceListener) {
		this.#failures = failures;
		this.#topics = topics;
		this.#presence = presence;
		this.any = failures.listeners();
		this.raw = failures.listeners();
	}

	/** Adds a listener for one kind of message. Returns a function that removes it. */
	on<TMessage extends SocketMessage>(message: TMessage, listener: MessageListener<TMessage>): () => void {
		const { name } = mustBeDefinition(message);
		let listeners = this.#byName.get(name);
		if (!listeners) this.#byName.set(name, (listeners = this.#failures.listeners()));
		return listeners.add(listener);
	}

	/** Called for what is not the answer to a request. @param raw what has arrived, for which there may be no frame */
	received(connection: Connection, frame: ServerFrame | undefined, raw: string | ArrayBuffer): void {
		if (!frame) return this.raw.call(raw);
		if (frame.name !== undefined) return this.#message(connection, frame);
		const { type, data, error } = frame;
		if (error) this.#failures.report(new SocketRequestError(type, error.code, error.message), 'send');
		else if (type === BuiltIn.presence || type === BuiltIn.unwatched) this.#presence(type, data as PresenceNotice);
		else this.#topics.notice(connection, type, data);
	}

	#message(connection: Connection, envelope: Envelope): void {
		const { name, data, position } = envelope;
		// Text and bytes that could be mistaken for frames arrive in frames. Those of topics with history have positions.
		if (name[0] === '@' && !position) return this.raw.call(data as string | ArrayBuffer);
		if (envelope.correlationId) return void answerRequest(this.handlers, this.#failures, connection, envelope);
		if (!this.#topics.deliver(envelope)) return;
		this.#byName.get(name)?.call(data as never, envelope as Envelope<never>);
		if (this.any.size > 0) this.any.call(envelope);
	}
}
