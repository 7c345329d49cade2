import type { EncodedPage, WebSocketProvider } from '@orijs/websocket';
import { type ClientMessage, encodeAnswer, type HistoryAnswer, type RequestFault } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';
import { FaultLog } from '../support/fault-log.ts';
import { AcceptedRequest } from './accepted-request.ts';
import { answeredAt } from './answered-at.ts';
import type { LargeAnswers } from './large-answers.ts';
import type { MaybePromise } from './maybe-promise.ts';
import { type PageRequest, HISTORY_RULE, readHistoryRequest } from './read-history-request.ts';
import { LEFT } from './refusal-texts.ts';
import type { SubscriptionServices } from './subscription-requests.ts';
import { refuseIfTooMany } from './too-many-requests.ts';
import { type Decision, isAllowed, MEMBER } from './topic-authorizer.ts';
import { topicFault } from './topic-fault.ts';
import { whenDecided } from './when-decided.ts';

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
		const request = AcceptedRequest.of(this.#services, session, message, HISTORY);
		if (request === undefined || refuseIfTooMany(session, message, this.#services)) return;
		const { type, topic, correlationId } = request;
		whenDecided(session, {
			type,
			ask: () => [this.#decide(session, topic)],
			proceed: ([decision]) => {
				const fault = this.#faultOf(topic, decision as Decision);
				if (fault !== undefined) request.refuse(fault);
				else if (correlationId !== undefined)
					this.#answers.add(session, (hasRoom) => this.#answer(request, correlationId, hasRoom));
				else request.done();
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
	#faultOf(topic: string, decision: Decision): RequestFault | undefined {
		if (!isAllowed(decision)) return decision;
		return this.#services.provider.hasHistory(topic)
			? undefined
			: { code: 'invalid_data', message: `${topic} has no history` };
	}

	/** Never rejects. */
	async #answer(request: AcceptedRequest<PageRequest>, correlationId: string, hasRoom: boolean): Promise<void> {
		if (!hasRoom) return request.refuseSlowReader();
		const { session, type } = request;
		const { provider } = this.#services;
		const { topic, ...page } = request.query;
		if (session.state === 'closed') return request.done(LEFT);
		try {
			const encoded = await provider.encodedHistory(topic, { ...page, bytes: this.#answers.bytes });
			session.send(encodePage(type, correlationId, encoded, provider));
		} catch (err) {
			return request.refuse(topicFault(this.#faults, { operation: 'history', session, topic, err }));
		}
		request.done();
	}
}

const HISTORY = { read: readHistoryRequest, rule: HISTORY_RULE };

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
