import { BuiltIn, type ClientMessage, encodeAnswer } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';
import { answeredAt } from './answered-at.ts';
import { authAnswer } from './auth-answer.ts';
import type { ClientRequests } from './client-requests.ts';
import type { Renewals } from './renewals.ts';
import type { ClientReply } from './node-messages.ts';
import { HistoryRequests } from './history-requests.ts';
import { LargeAnswers } from './large-answers.ts';
import type { PendingAuthorization } from './pending-authorization.ts';
import { PresenceRequests, type PresenceServices } from './presence-requests.ts';
import { sendRefusal } from './send-refusal.ts';
import { SubscriptionRequests } from './subscription-requests.ts';

export interface BuiltInServices extends PresenceServices {
	readonly requests: ClientRequests;
	/** Undefined if connections have no guards to pass, so that there is nothing to renew. */
	readonly renewals: Renewals | undefined;
}

/** Handles the protocol's own messages, such as `@ping`, `@reply`, `@auth` and `@subscribe`. */
export class BuiltInMessages {
	readonly #services: BuiltInServices;
	readonly #subscriptions: SubscriptionRequests;
	readonly #histories: HistoryRequests;
	readonly #presence: PresenceRequests;

	constructor(services: BuiltInServices) {
		this.#services = services;
		this.#subscriptions = new SubscriptionRequests(services);
		const answers = new LargeAnswers(services.limits);
		this.#histories = new HistoryRequests(services, answers);
		this.#presence = new PresenceRequests(services, answers);
	}

	/** Whether a message type is reserved for the protocol, even if it is unknown. */
	static owns(type: string): boolean {
		return type.charCodeAt(0) === AT;
	}

	/** Whether a message is a reply that this node waits for. Such a reply is handled even beyond the rate limit. */
	isExpectedReply({ socketId }: Session, { type, correlationId }: ClientMessage): boolean {
		return type === BuiltIn.reply && this.#services.requests.isPending(socketId, correlationId);
	}

	/**
	 * Handles a message immediately if its type allows that. Returns false if the message must wait for earlier ones.
	 */
	handleNow(session: Session, message: ClientMessage): boolean {
		if (message.type === BuiltIn.reply) this.#reply(session, message);
		else if (message.type === BuiltIn.ping) this.#answer(session, message, answeredAt(this.#services.provider));
		else if (message.type === BuiltIn.auth) return this.#services.renewals?.handleNow(session, message) === true;
		else return false;
		return true;
	}

	/**
	 * Handles a message whose turn has come. The turn ends once the request is authorized or refused, because later
	 * messages must not wait for the backend.
	 */
	handleInTurn(session: Session, message: ClientMessage): void {
		switch (message.type) {
			case BuiltIn.subscribe:
				return this.#subscriptions.subscribe(session, message);
			case BuiltIn.unsubscribe:
				return this.#subscriptions.unsubscribe(session, message);
			case BuiltIn.history:
				return this.#histories.read(session, message);
			case BuiltIn.watch:
				return this.#presence.watch(session, message);
			case BuiltIn.unwatch:
				return this.#presence.unwatch(session, message);
			case BuiltIn.update:
				return this.#presence.update(session, message);
			case BuiltIn.auth:
				return this.#auth(session, message);
			default:
				this.#services.refusals.add('unknownType', { socketId: session.socketId, type: message.type });
				sendRefusal(session, message, 'unknown_type', `No handler for ${message.type}`);
				return this.#services.events?.refused(session, message, 'unknown_type');
		}
	}

	/** Answers `@auth`. Without guards, it always succeeds. */
	#auth(session: Session, message: ClientMessage): void {
		const { renewals } = this.#services;
		if (renewals === undefined) this.#answer(session, message, authAnswer(session, this.#services));
		else renewals.handleInTurn(session, message);
	}

	/**
	 * Called when an authorization started by `handleInTurn` has taken too long. Topics without a decision are refused;
	 * the others proceed.
	 */
	timeOut(session: Session, pending: PendingAuthorization): void {
		this.#services.refusals.add('handlerTimeout', { socketId: session.socketId, type: pending.type });
		pending.timeOut();
	}

	/** Fails the request whose reply can't be read: the client has replied, and will not do so again. */
	failRequest({ socketId }: Session, correlationId: string = '', reason: string): void {
		const error = { code: 'invalid_reply', message: `the reply can't be read: ${reason}` };
		this.#services.requests.receiveReply(socketId, correlationId, { error });
	}

	#reply(session: Session, { type, data, correlationId, ...rest }: ClientMessage): void {
		const { error } = rest as ClientReply;
		const { requests } = this.#services;
		const outcome = requests.receiveReply(session.socketId, correlationId ?? '', { data, error });
		if (outcome === 'settled') session.inbound.refund();
		if (outcome !== 'invalid') return;
		this.#services.refusals.add('message', { socketId: session.socketId, reason: 'a reply that matches no request' });
		sendRefusal(session, { type, correlationId }, 'invalid_message', 'The reply matches no request');
		this.#services.events?.refused(session, { type, correlationId }, 'invalid_message');
	}

	#answer(session: Session, { type, correlationId }: ClientMessage, data: unknown): void {
		if (correlationId !== undefined) session.send(encodeAnswer(type, correlationId, data));
	}
}

const AT = '@'.charCodeAt(0);
