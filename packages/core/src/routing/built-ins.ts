import { isTopic, type Logger, SubscribeError, type WebSocketProvider } from '@orijs/websocket';
import { BuiltIn, type ClientMessage, encodeAnswer, encodeRefusal, type ErrorCode } from '@orijs/websocket/protocol';
import { isThenable } from '../is-thenable.ts';
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

	/** Handles what comes in its turn. Only its beginning does: to wait for the backend must not keep the client's other messages. */
	inTurn(session: Session, message: ClientMessage): void {
		switch (message.type) {
			case BuiltIn.subscribe:
				return this.#counted(session, message, (topic) => this.#subscribe(session, topic));
			case BuiltIn.unsubscribe:
				return this.#counted(session, message, (topic) => this.#services.provider.unsubscribe(session.socketId, topic));
			case BuiltIn.auth:
				// Nothing here wanted to see anything; a client that says who it is may do so.
				return this.#answer(session, message, { socketId: session.socketId });
			default:
				this.#services.refusals.add('unknownType', { socketId: session.socketId, type: message.type });
				return refuse(session, message, 'unknown_type', `Nothing handles ${message.type}`);
		}
	}

	#reply(session: Session, { type, data, correlationId, ...rest }: ClientMessage): void {
		const { error } = rest as ClientReply;
		if (
			correlationId !== undefined &&
			this.#services.requests.answered(session.socketId, correlationId, { data, error })
		) {
			return;
		}
		this.#services.refusals.add('message', { socketId: session.socketId, reason: 'a reply to nothing' });
		refuse(session, { type, correlationId }, 'invalid_message', 'That is a reply to nothing');
	}

	#counted(session: Session, message: ClientMessage, work: (topic: string) => Promise<Denial | void>): void {
		const { limits, refusals, logger } = this.#services;
		const { socketId } = session;
		const topic = topicOf(message.data);
		if (topic === undefined) {
			refusals.add('data', { socketId, type: message.type });
			const rule = 'data must be { topic }, and a topic is 1 to 256 characters out of A-Z a-z 0-9 _ : . -';
			return refuse(session, message, 'invalid_data', rule);
		}
		if (session.pendingAnswers >= limits.pendingRequests) {
			refusals.add('requests', { socketId });
			return refuse(session, message, 'too_many_requests', `${limits.pendingRequests} requests wait already`);
		}
		session.pendingAnswers++;
		work(topic)
			.then(
				(denial) => {
					if (denial === undefined) this.#answer(session, message, null);
					else refuse(session, message, denial.code, denial.message);
				},
				(err: unknown) => {
					if (!session.isOpen) return;
					if (err instanceof SubscribeError) {
						return refuse(session, message, 'unavailable', 'The backend refused; try again');
					}
					logger.error(`${message.type} failed`, { socketId, topic, err });
					refuse(session, message, 'internal', INTERNAL);
				},
			)
			.finally(() => session.pendingAnswers--)
			.catch(() => {});
	}

	async #subscribe(session: Session, topic: string): Promise<Denial | void> {
		const { provider, limits, refusals, authorize } = this.#services;
		const { socketId, topics } = session;
		const allowed: unknown = authorize.subscribe?.(session.ws, topic, session.values);
		// Without waiting where there is nothing to wait for, so that joins take effect in the order they were asked for.
		if ((isThenable(allowed) ? await allowed : allowed) !== true) {
			refusals.add('forbidden', { socketId, topic });
			return { code: 'forbidden', message: `You may not subscribe to ${topic}` };
		}
		if (topics.size >= limits.topicsPerSocket && !topics.has(topic)) {
			refusals.add('topics', { socketId, topic });
			return { code: 'too_many_topics', message: `A connection may be in ${limits.topicsPerSocket} topics` };
		}
		await provider.subscribe(socketId, topic);
		return undefined;
	}

	#answer(session: Session, { type, correlationId }: ClientMessage, data: unknown): void {
		if (correlationId !== undefined) session.send(encodeAnswer(type, correlationId, data));
	}
}

interface Denial {
	readonly code: ErrorCode;
	readonly message: string;
}

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

function topicOf(data: unknown): string | undefined {
	const { topic } = (typeof data === 'object' && data !== null ? data : {}) as { topic?: unknown };
	return isTopic(topic) ? topic : undefined;
}
