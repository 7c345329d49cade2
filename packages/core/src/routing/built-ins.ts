import { isTopic, type Logger, SubscribeError, type WebSocketProvider } from '@orijs/websocket';
import {
	BuiltIn,
	type ClientMessage,
	encodeAnswer,
	encodeRefusal,
	type ErrorCode,
	SocketError,
} from '@orijs/websocket/protocol';
import { promiseOf } from '../promise-of.ts';
import type { AllLimits } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import type { Session } from '../session.ts';
import type { Authorize } from '../websocket-options.ts';
import type { ClientReply, ClientRequests } from './client-requests.ts';

export interface BuiltInServices {
	readonly provider: WebSocketProvider;
	readonly requests: ClientRequests;
	readonly limits: AllLimits;
	readonly refusals: Refusals;
	readonly logger: Logger;
	readonly authorize: Authorize;
	/** Whether connections had to pass any. */
	readonly hasGuards: boolean;
}

/** What clients can say without the application having defined it: heartbeats, replies, joining and leaving topics. */
export class BuiltIns {
	readonly #services: BuiltInServices;

	constructor(services: BuiltInServices) {
		this.#services = services;
	}

	/** Whether a type is the system's own, known or not. */
	static isOne(type: string): boolean {
		return type.charCodeAt(0) === AT;
	}

	/** Handles what must not wait for its turn. Returns whether that is all. */
	atOnce(session: Session, message: ClientMessage): boolean {
		if (message.type === BuiltIn.reply) this.#reply(session, message);
		else if (message.type === BuiltIn.ping) this.#answer(session, message, null);
		else return false;
		return true;
	}

	/**
	 * Handles what comes in its turn. It lasts until it is decided, and no longer: to wait for the backend must not keep the client's
	 * other messages.
	 */
	inTurn(session: Session, message: ClientMessage): void {
		switch (message.type) {
			case BuiltIn.subscribe:
				return this.#ask(session, message);
			case BuiltIn.unsubscribe:
				return this.#leave(session, message);
			case BuiltIn.auth:
				return this.#auth(session, message);
			default:
				this.#services.refusals.add('unknownType', { socketId: session.socketId, type: message.type });
				return refuse(session, message, 'unknown_type', `Nothing handles ${message.type}`);
		}
	}

	/** A client that says who it is may do so where nobody wants to know; but not again, as it would think that it was heard. */
	#auth(session: Session, message: ClientMessage): void {
		if (!this.#services.hasGuards) return this.#answer(session, message, { socketId: session.socketId });
		this.#services.refusals.add('message', { socketId: session.socketId, reason: 'a second @auth' });
		refuse(session, message, 'invalid_message', 'The guards have been asked already: connect again to be someone else');
	}

	/** What `inTurn` has begun takes too long to decide. */
	giveUp(session: Session, { message }: Asking): void {
		this.#services.refusals.add('handlerTimeout', { socketId: session.socketId, type: message.type });
		refuse(session, message, 'timeout', 'The server took too long');
	}

	#reply(session: Session, { type, data, correlationId, ...rest }: ClientMessage): void {
		const { error } = rest as ClientReply;
		const { requests } = this.#services;
		const outcome = requests.answered(session.socketId, correlationId ?? '', { data, error });
		if (outcome === 'awaited') session.excuse();
		if (outcome !== 'unasked') return;
		this.#services.refusals.add('message', { socketId: session.socketId, reason: 'a reply to nothing' });
		refuse(session, { type, correlationId }, 'invalid_message', 'That is a reply to nothing');
	}

	/** Asks whether the client may subscribe. */
	#ask(session: Session, message: ClientMessage): void {
		const topic = this.#topicOf(session, message);
		if (topic === undefined) return;
		let allowed: unknown;
		let later: Promise<unknown> | undefined;
		try {
			allowed = this.#services.authorize.subscribe?.(session.ws, topic, session.values);
			later = promiseOf(allowed);
		} catch (error) {
			return this.#failed(session, message, error);
		}
		if (later === undefined) return this.#join(session, message, topic, allowed);
		const asking = new Asking(message);
		session.begin(asking);
		const decide = (decision: () => void): void => {
			// Unless it took too long, and was answered.
			if (session.running !== asking) return;
			decision();
			session.finished(asking);
		};
		later.then(
			(verdict) => decide(() => this.#join(session, message, topic, verdict)),
			(error: unknown) => decide(() => this.#failed(session, message, error)),
		);
	}

	#join(session: Session, message: ClientMessage, topic: string, allowed: unknown): void {
		const { provider, limits, refusals } = this.#services;
		const { socketId, topics } = session;
		if (allowed !== true) {
			refusals.add('forbidden', { socketId, topic });
			return refuse(session, message, 'forbidden', `You may not subscribe to ${topic}`);
		}
		if (topics.size >= limits.topicsPerSocket && !topics.has(topic)) {
			refusals.add('topics', { socketId, topic });
			return refuse(session, message, 'too_many_topics', `A connection may be in ${limits.topicsPerSocket} topics`);
		}
		this.#answerAfter(provider.subscribe(socketId, topic), session, message);
	}

	#leave(session: Session, message: ClientMessage): void {
		const topic = this.#topicOf(session, message);
		if (topic === undefined) return;
		this.#answerAfter(this.#services.provider.unsubscribe(session.socketId, topic), session, message);
	}

	/** The topic a message is about; undefined if it was refused. */
	#topicOf(session: Session, message: ClientMessage): string | undefined {
		const { limits, refusals } = this.#services;
		const { socketId } = session;
		const { topic } = (typeof message.data === 'object' && message.data !== null ? message.data : {}) as {
			topic?: unknown;
		};
		if (!isTopic(topic)) {
			refusals.add('data', { socketId, type: message.type });
			refuse(session, message, 'invalid_data', TOPIC_RULE);
			return undefined;
		}
		if (session.pendingAnswers < limits.pendingRequests) return topic;
		refusals.add('requests', { socketId });
		refuse(session, message, 'too_many_requests', `${limits.pendingRequests} requests wait already`);
		return undefined;
	}

	#answerAfter(done: Promise<void>, session: Session, message: ClientMessage): void {
		session.pendingAnswers++;
		done.then(
			() => {
				session.pendingAnswers--;
				this.#answer(session, message, null);
			},
			(error: unknown) => {
				session.pendingAnswers--;
				this.#failed(session, message, error);
			},
		);
	}

	#failed(session: Session, message: ClientMessage, err: unknown): void {
		if (session.state === 'closed') return;
		if (err instanceof SocketError) return refuse(session, message, err.code, err.message);
		if (err instanceof SubscribeError) return refuse(session, message, 'unavailable', 'The backend refused; try again');
		const { topic } = message.data as { topic: string };
		this.#services.logger.error(`${message.type} failed`, { socketId: session.socketId, topic, err });
		refuse(session, message, 'internal', INTERNAL);
	}

	#answer(session: Session, { type, correlationId }: ClientMessage, data: unknown): void {
		if (correlationId !== undefined) session.send(encodeAnswer(type, correlationId, data));
	}
}

/** A client waits for the application to say whether it may. */
export class Asking {
	readonly message: ClientMessage;

	constructor(message: ClientMessage) {
		this.message = message;
	}
}

const TOPIC_RULE = 'data must be { topic }, and a topic is 1 to 256 characters out of A-Z a-z 0-9 _ : . -';

/** What clients are told of a failure that is none of their business. */
export const INTERNAL = 'Something went wrong on the server';

export function refuse(
	session: Session,
	{ type, correlationId }: { readonly type: string; readonly correlationId?: string | undefined },
	code: ErrorCode,
	message: string,
): void {
	session.send(encodeRefusal(type, correlationId, code, message));
}

const AT = '@'.charCodeAt(0);
