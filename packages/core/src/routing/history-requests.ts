import type { EncodedPage, WebSocketProvider } from '@orijs/websocket';
import { type ClientMessage, encodeAnswer, type HistoryAnswer, type RequestFault } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';
import { FaultLog } from '../support/fault-log.ts';
import { answeredAt } from './answered-at.ts';
import type { LargeAnswers } from './large-answers.ts';
import type { MaybePromise } from './maybe-promise.ts';
import { type PageRequest, HISTORY_RULE, readHistoryRequest } from './read-history-request.ts';
import { LEFT, READS_TOO_SLOWLY } from './refusal-texts.ts';
import { sendRefusal } from './send-refusal.ts';
import type { SubscriptionServices } from './subscription-requests.ts';
import { refuseIfTooMany } from './too-many-requests.ts';
import { type Decision, isAllowed, MEMBER, NotAuthorized } from './topic-authorizer.ts';
import { topicFault } from './topic-fault.ts';
import { whenDecided } from './when-decided.ts';

/** A valid `@history`, until it is answered. */
interface AcceptedRequest {
	readonly type: string;
	readonly correlationId: string | undefined;
	readonly query: PageRequest;
	/** When its turn came (monotonic clock, in milliseconds). */
	readonly takenAt: number;
}

/**
 * Handles the `@history` requests of clients. A request counts as one message for the rate limit, whatever its limit:
 * the pages of one client are read and sent one at a time, and the provider bounds how many are read for all.
 */
export class HistoryRequests {
	readonly #services: SubscriptionServices;
	readonly #answers: LargeAnswers;
	readonly #faults: FaultLog;

	constructor(services: SubscriptionServices, answers: LargeAnswers) {
		this.#services = services;
		this.#answers = answers;
		this.#faults = new FaultLog(services.logger);
	}

	read(session: Session, message: ClientMessage): void {
		const { refusals, events } = this.#services;
		const takenAt = events?.now() ?? 0;
		const { type, correlationId } = message;
		const query = readHistoryRequest(message.data);
		if (query === undefined) {
			refusals.add('data', { socketId: session.socketId, type });
			sendRefusal(session, message, 'invalid_data', HISTORY_RULE);
			return events?.refused(session, message, 'invalid_data');
		}
		if (refuseIfTooMany(session, message, this.#services)) return;
		whenDecided(session, {
			type,
			ask: () => [this.#decide(session, query.topic)],
			proceed: ([decision]) => {
				const fault = this.#faultOf(session, query.topic, decision as Decision);
				const request: AcceptedRequest = { type, correlationId, query, takenAt };
				if (fault !== undefined) this.#refuse(session, request, fault);
				else if (correlationId !== undefined)
					this.#answers.add(session, (hasRoom) => this.#answer(session, request, correlationId, hasRoom));
				else events?.topicDone(session, request, query.topic, takenAt, undefined);
			},
		});
	}

	/** A client may read the history of a topic that it is in, unless it was to be kept from it. */
	#decide(session: Session, topic: string): MaybePromise<Decision> {
		const { provider, authorizer } = this.#services;
		const mayRead = session.topics.has(topic) && !provider.isWithoutPast(session.socketId, topic);
		return mayRead && session.state !== 'closed' ? MEMBER : authorizer.decide(session, topic, 'read');
	}

	/** Returns why a client may not read a topic; undefined if it may. */
	#faultOf({ socketId }: Session, topic: string, decision: Decision): RequestFault | undefined {
		if (decision instanceof NotAuthorized) this.#services.refusals.add('forbidden', { socketId, topic });
		if (!isAllowed(decision)) return decision;
		return this.#services.provider.hasHistory(topic)
			? undefined
			: { code: 'invalid_data', message: `${topic} has no history` };
	}

	#refuse(session: Session, request: AcceptedRequest, fault: RequestFault): void {
		sendRefusal(session, request, fault.code, fault.message);
		this.#services.events?.topicDone(session, request, request.query.topic, request.takenAt, fault);
	}

	/** Never rejects. */
	async #answer(session: Session, request: AcceptedRequest, correlationId: string, hasRoom: boolean): Promise<void> {
		const { type, takenAt, query } = request;
		if (!hasRoom) {
			this.#services.refusals.add('handlerTimeout', { socketId: session.socketId, type });
			return this.#refuse(session, request, READS_TOO_SLOWLY);
		}
		const { provider, events } = this.#services;
		const { topic, ...page } = query;
		if (session.state === 'closed') return events?.topicDone(session, request, topic, takenAt, LEFT);
		try {
			const encoded = await provider.encodedHistory(topic, { ...page, bytes: this.#answers.bytes });
			session.send(encodePage(type, correlationId, encoded, provider));
		} catch (err) {
			return this.#refuse(session, request, topicFault(this.#faults, { operation: 'history', session, topic, err }));
		}
		events?.topicDone(session, request, topic, takenAt, undefined);
	}
}

/** Encodes the answer around the messages, which are JSON already. */
function encodePage(
	type: string,
	correlationId: string,
	{ messages, ...outcome }: EncodedPage,
	provider: WebSocketProvider,
): string {
	const answer = encodeAnswer(type, correlationId, {
		...answeredAt(provider),
		...outcome,
	} satisfies Omit<HistoryAnswer, 'messages'>);
	// The answer ends with the braces of its data, which is not empty, and its own.
	return `${answer.slice(0, -2)},"messages":${messages}}}`;
}
