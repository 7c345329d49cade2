import { BuiltIn, type ClientMessage, encodeAnswer, type PingAnswer } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';
import { authAnswer } from './auth-answer.ts';
import type { ClientReply, ClientRequests } from './client-requests.ts';
import { DeliveryWatermark } from './delivery-watermark.ts';
import { sendRefusal } from './send-refusal.ts';
import { type Asking, SubscriptionRequests, type TopicServices } from './subscription-requests.ts';

export interface BuiltInServices extends TopicServices {
	readonly requests: ClientRequests;
	/** Whether connections had to pass any. */
	readonly hasGuards: boolean;
}

/** What clients can say without the application having defined it: heartbeats, replies, joining and leaving topics. */
export class BuiltInMessages {
	readonly #services: BuiltInServices;
	readonly #topics: SubscriptionRequests;
	readonly #proven: DeliveryWatermark;

	constructor(services: BuiltInServices) {
		this.#services = services;
		this.#topics = new SubscriptionRequests(services);
		this.#proven = new DeliveryWatermark(services.provider);
	}

	/** Whether a type is the system's own, known or not. */
	static isOne(type: string): boolean {
		return type.charCodeAt(0) === AT;
	}

	/** Handles what must not wait for its turn. Returns whether that is all. */
	atOnce(session: Session, message: ClientMessage): boolean {
		if (message.type === BuiltIn.reply) this.#reply(session, message);
		else if (message.type === BuiltIn.ping)
			this.#answer(session, message, { timestamp: this.#proven.now() } satisfies PingAnswer);
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
				return this.#topics.subscribe(session, message);
			case BuiltIn.unsubscribe:
				return this.#topics.unsubscribe(session, message);
			case BuiltIn.auth:
				return this.#auth(session, message);
			default:
				this.#services.refusals.add('unknownType', { socketId: session.socketId, type: message.type });
				return sendRefusal(session, message, 'unknown_type', `Nothing handles ${message.type}`);
		}
	}

	/** A client that says who it is may do so where nobody wants to know; but not again, as it would think that it was heard. */
	#auth(session: Session, message: ClientMessage): void {
		if (!this.#services.hasGuards) return this.#answer(session, message, authAnswer(session, this.#services.limits));
		this.#services.refusals.add('message', { socketId: session.socketId, reason: 'a second @auth' });
		sendRefusal(
			session,
			message,
			'invalid_message',
			'The guards have been asked already: connect again to be someone else',
		);
	}

	/** What `inTurn` has begun takes too long to decide. */
	giveUp(session: Session, asking: Asking): void {
		this.#topics.giveUp(session, asking);
	}

	#reply(session: Session, { type, data, correlationId, ...rest }: ClientMessage): void {
		const { error } = rest as ClientReply;
		const { requests } = this.#services;
		const outcome = requests.answered(session.socketId, correlationId ?? '', { data, error });
		if (outcome === 'awaited') session.excuse();
		if (outcome !== 'unasked') return;
		this.#services.refusals.add('message', { socketId: session.socketId, reason: 'a reply to nothing' });
		sendRefusal(session, { type, correlationId }, 'invalid_message', 'That is a reply to nothing');
	}

	#answer(session: Session, { type, correlationId }: ClientMessage, data: unknown): void {
		if (correlationId !== undefined) session.send(encodeAnswer(type, correlationId, data));
	}
}

const AT = '@'.charCodeAt(0);
