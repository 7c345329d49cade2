import type { Logger, WebSocketProvider } from '@orijs/websocket';
import { type ClientMessage, encodeGapNotice, type TopicRequest } from '@orijs/websocket/protocol';
import type { AllLimits } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import type { Session } from '../session/session.ts';
import { exceedsTopicLimit } from '../session/topic-limit.ts';
import { unsubscribeOwnSocket } from '../session/unsubscribe-own-socket.ts';
import { FaultLog } from '../support/fault-log.ts';
import { answeredAt } from './answered-at.ts';
import { allOf, isAvailable, type MaybePromise } from './maybe-promise.ts';
import type { MessageEvents } from './message-events.ts';
import { readTopicRequests, TOPICS_RULE } from './read-topic-requests.ts';
import { tooManyTopics } from './refusal-texts.ts';
import { sendRefusal } from './send-refusal.ts';
import type { Decision, TopicAuthorizer } from './topic-authorizer.ts';
import { topicFault, type TopicOperation } from './topic-fault.ts';
import { type SubscriptionRequest, subscriptionRequest } from './subscription-request.ts';
import { refuseIfTooMany } from './too-many-requests.ts';
import { sendTopicsAnswer, type TopicOutcome } from './topics-answer.ts';
import { whenDecided } from './when-decided.ts';

export interface SubscriptionServices {
	readonly provider: WebSocketProvider;
	readonly limits: AllLimits;
	readonly refusals: Refusals;
	readonly logger: Logger;
	readonly authorizer: TopicAuthorizer;
	/** Undefined if there are no listeners. */
	readonly events: MessageEvents | undefined;
}

/** For the rate limit, this many topics in one request count as one message. */
const TOPICS_PER_MESSAGE = 10;

/** Handles the `@subscribe` and `@unsubscribe` requests of clients. */
export class SubscriptionRequests {
	readonly #services: SubscriptionServices;
	readonly #faults: FaultLog;

	constructor(services: SubscriptionServices) {
		this.#services = services;
		this.#faults = new FaultLog(services.logger);
	}

	subscribe(session: Session, message: ClientMessage): void {
		const takenAt = this.#services.events?.now() ?? 0;
		const request = this.#accept(session, message);
		if (request === undefined) return;
		const { topics } = request;
		const decisions = topics.map(({ topic }) => this.#services.authorizer.decide(session, topic));
		whenDecided(session, request.type, decisions, (decided) => {
			const outcomes = decided.map((decision, index) =>
				this.#subscribe(session, topics[index] as TopicRequest, decision),
			);
			this.#answerAfter(outcomes, session, request, takenAt);
		});
	}

	unsubscribe(session: Session, message: ClientMessage): void {
		const takenAt = this.#services.events?.now() ?? 0;
		const request = this.#accept(session, message);
		if (request === undefined) return;
		const { provider } = this.#services;
		const outcomes = request.topics.map(({ topic }) =>
			this.#outcomeOf('unsubscribe', unsubscribeOwnSocket(provider, session.socketId, topic), session, topic),
		);
		this.#answerAfter(outcomes, session, request, takenAt);
	}

	/** Returns the request; undefined if the message was refused. */
	#accept(session: Session, message: ClientMessage): SubscriptionRequest | undefined {
		const topics = readTopicRequests(message.data);
		if (topics === undefined) {
			this.#services.refusals.add('data', { socketId: session.socketId, type: message.type });
			sendRefusal(session, message, 'invalid_data', TOPICS_RULE);
			this.#services.events?.refused(session, message, 'invalid_data');
			return undefined;
		}
		if (refuseIfTooMany(session, message, this.#services)) return undefined;
		session.inbound.charge(Math.ceil(topics.length / TOPICS_PER_MESSAGE) - 1);
		return subscriptionRequest(message, topics);
	}

	#subscribe(session: Session, request: TopicRequest, decision: Decision): MaybePromise<TopicOutcome> {
		const { provider, limits, refusals } = this.#services;
		const { socketId, topics } = session;
		const { topic, rewind } = request;
		if (decision === 'forbidden') {
			refusals.add('forbidden', { socketId, topic });
			return { code: 'forbidden', message: `Not authorized to subscribe to ${topic}` };
		}
		if (decision !== 'allowed') return decision;
		if (exceedsTopicLimit(topics, topic, limits)) {
			refusals.add('topics', { socketId, topic });
			return { code: 'too_many_topics', message: tooManyTopics(limits.topicsPerSocket) };
		}
		if (provider.hasHistory(topic)) return this.#outcomeOf('subscribe', this.#resume(session, request), session, topic);
		if (rewind !== undefined) return { code: 'invalid_data', message: `${topic} has no history to rewind` };
		return this.#outcomeOf('subscribe', provider.subscribe(socketId, topic), session, topic);
	}

	/** Resumes a topic with history, and notifies the client of messages that can't be given back. */
	async #resume(session: Session, { topic, since, rewind }: TopicRequest): Promise<void> {
		const recovery = await this.#services.provider.resume(session.socketId, topic, { since, rewind });
		if (recovery?.gap !== undefined) session.send(encodeGapNotice({ topic, ...recovery.gap }));
	}

	/** Resolves with the outcome of an operation on a topic. Never rejects. */
	#outcomeOf(
		operation: TopicOperation,
		done: Promise<unknown>,
		session: Session,
		topic: string,
	): Promise<TopicOutcome> {
		return done.then(
			() => undefined,
			(err: unknown) => topicFault(this.#faults, { operation, session, topic, err }),
		);
	}

	#answerAfter(
		outcomes: readonly MaybePromise<TopicOutcome>[],
		session: Session,
		request: SubscriptionRequest,
		takenAt: number,
	): void {
		if (outcomes.every(isAvailable)) return this.#answer(session, request, outcomes, takenAt);
		session.pendingAnswers++;
		void allOf(outcomes).then((settled) => {
			session.pendingAnswers--;
			this.#answer(session, request, settled, takenAt);
		});
	}

	#answer(session: Session, request: SubscriptionRequest, outcomes: readonly TopicOutcome[], takenAt: number): void {
		const { provider, events } = this.#services;
		sendTopicsAnswer(session, request, outcomes, answeredAt(provider));
		events?.topicsDone(session, request, takenAt, outcomes);
	}
}
