import { type ClientMessage, encodeAnswer, type RequestFault } from '@orijs/websocket/protocol';
import type { Refusals } from '../refusals.ts';
import type { Session } from '../session/session.ts';
import type { MessageEvents } from './message-events.ts';
import { READS_TOO_SLOWLY } from './refusal-texts.ts';
import { sendRefusal } from './send-refusal.ts';
import { NotAuthorized } from './topic-authorizer.ts';

interface AcceptingServices {
	readonly refusals: Refusals;
	/** Undefined if there are no listeners. */
	readonly events: MessageEvents | undefined;
}

/** How the data of a kind of request is read. */
interface Reading<TQuery> {
	/** Returns the request; undefined if the data is invalid. */
	readonly read: (data: unknown) => TQuery | undefined;
	/** What data is valid, for the client. */
	readonly rule: string;
}

/** A valid request about one topic, until it is answered or refused, which is reported as an event. */
export class AcceptedRequest<TQuery extends { readonly topic: string } = { readonly topic: string }> {
	readonly session: Session;
	readonly type: string;
	/** Undefined if the client wants no answer. */
	readonly correlationId: string | undefined;
	readonly query: TQuery;
	readonly #services: AcceptingServices;
	/** When its turn came (monotonic clock, in milliseconds). */
	readonly #takenAt: number;

	private constructor(
		services: AcceptingServices,
		session: Session,
		{ type, correlationId }: ClientMessage,
		query: TQuery,
		takenAt: number,
	) {
		this.#services = services;
		this.session = session;
		this.type = type;
		this.correlationId = correlationId;
		this.query = query;
		this.#takenAt = takenAt;
	}

	/** Returns the request; undefined if its data is invalid, and it was refused. */
	static of<TQuery extends { readonly topic: string }>(
		services: AcceptingServices,
		session: Session,
		message: ClientMessage,
		{ read, rule }: Reading<TQuery>,
	): AcceptedRequest<TQuery> | undefined {
		const takenAt = services.events?.now() ?? 0;
		const query = read(message.data);
		if (query !== undefined) return new AcceptedRequest(services, session, message, query, takenAt);
		refuseInvalid(services, session, message, rule);
		return undefined;
	}

	get topic(): string {
		return this.query.topic;
	}

	/** Sends an answer, if there is to be one. */
	answer(data: object): void {
		if (this.correlationId !== undefined) this.session.send(encodeAnswer(this.type, this.correlationId, data));
	}

	refuse(fault: RequestFault): void {
		if (fault instanceof NotAuthorized)
			this.#services.refusals.add('forbidden', { socketId: this.session.socketId, topic: this.topic });
		sendRefusal(this.session, this, fault.code, fault.message);
		this.done(fault);
	}

	/** Refuses it because its client has not read what was sent before. */
	refuseSlowReader(): void {
		this.#services.refusals.add('handlerTimeout', { socketId: this.session.socketId, type: this.type });
		this.refuse(READS_TOO_SLOWLY);
	}

	/** Must be called once there is nothing more to send. @param fault why it could not be answered */
	done(fault?: RequestFault): void {
		this.#services.events?.topicDone(this.session, this, this.topic, this.#takenAt, fault);
	}
}

/** @param rule what data is valid, for the client */
export function refuseInvalid(
	{ refusals, events }: AcceptingServices,
	session: Session,
	message: ClientMessage,
	rule: string,
): void {
	refusals.add('data', { socketId: session.socketId, type: message.type });
	sendRefusal(session, message, 'invalid_data', rule);
	events?.refused(session, message, 'invalid_data');
}
