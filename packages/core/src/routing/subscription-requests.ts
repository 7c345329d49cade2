import type { Logger, WebSocketProvider } from '@orijs/websocket';
import {
	BuiltIn,
	type ClientMessage,
	encodeGapNotice,
	type RequestFault,
	type TopicRequest,
} from '@orijs/websocket/protocol';
import type { AllLimits } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import type { Session } from '../session/session.ts';
import { exceedsTopicLimit } from '../session/topic-limit.ts';
import { unsubscribeOwnSocket } from '../session/unsubscribe-own-socket.ts';
import { FaultLog } from '../support/fault-log.ts';
import { refuseInvalid } from './accepted-request.ts';
import { answeredAt } from './answered-at.ts';
import { allOf, isAvailable, type MaybePromise } from './maybe-promise.ts';
import type { MessageEvents } from './message-events.ts';
import { readTopicRequests, TOPICS_RULE } from './read-topic-requests.ts';
import { tooManyTopics } from './refusal-texts.ts';
import { type Decision, isAllowed, MEMBER, NotAuthorized, type TopicAuthorizer } from './topic-authorizer.ts';
import { topicFault, type TopicOperation } from './topic-fault.ts';
import { type SubscriptionRequest, subscriptionRequest } from './subscription-request.ts';
import type { TopicRights } from './topic-rights.ts';
import type { PendingSubscriptions } from './pending-subscriptions.ts';
import type { ConnectionHooks } from './connection-hooks.ts';
import { refuseIfTooMany } from './too-many-requests.ts';
import { sendTopicsAnswer, type TopicOutcome } from './topics-answer.ts';
import { whenDecided } from './when-decided.ts';

export interface SubscriptionServices {
	readonly provider: WebSocketProvider;
	readonly limits: AllLimits;
	readonly refusals: Refusals;
	readonly logger: Logger;
	readonly authorizer: TopicAuthorizer;
	readonly rights: TopicRights;
	readonly pending: PendingSubscriptions;
	/** Undefined if no router has hooks. */
	readonly hooks: ConnectionHooks | undefined;
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
		this.#services.pending.begin(session);
		whenDecided(session, {
			type: request.type,
			ask: () => topics.map((each) => this.#decide(session, each)),
			proceed: (decided) => {
				const outcomes = decided.map((decision, index) =>
					this.#subscribe(session, topics[index] as TopicRequest, decision),
				);
				this.#answerAfter(outcomes, session, request, takenAt);
			},
		});
	}

	/** A topic that the client is in is not asked about, unless it asks for messages that it was to be kept from. */
	#decide(session: Session, { topic, since, rewind }: TopicRequest): MaybePromise<Decision> {
		const { provider, authorizer } = this.#services;
		if (!session.topics.has(topic)) return authorizer.decide(session, topic, 'subscribe to');
		const asksForPast = since !== undefined || rewind !== undefined;
		if (!asksForPast || !provider.isWithoutPast(session.socketId, topic)) return MEMBER;
		return authorizer.decide(session, topic, 'subscribe to');
	}

	unsubscribe(session: Session, message: ClientMessage): void {
		const takenAt = this.#services.events?.now() ?? 0;
		const request = this.#accept(session, message);
		if (request === undefined) return;
		const { provider } = this.#services;
		const outcomes = request.topics.map(({ topic }) => {
			const done = unsubscribeOwnSocket(provider, session.socketId, topic, BY_CLIENT);
			return this.#outcomeOf('unsubscribe', done, session, topic);
		});
		this.#answerAfter(outcomes, session, request, takenAt);
	}

	/** Returns the request; undefined if the message was refused. */
	#accept(session: Session, message: ClientMessage): SubscriptionRequest | undefined {
		const topics = readTopicRequests(message.data);
		if (topics === undefined) {
			refuseInvalid(this.#services, session, message, TOPICS_RULE);
			return undefined;
		}
		if (refuseIfTooMany(session, message, this.#services)) return undefined;
		session.inbound.charge(Math.ceil(topics.length / TOPICS_PER_MESSAGE) - 1);
		return subscriptionRequest(message, topics);
	}

	#subscribe(session: Session, request: TopicRequest, decided: Decision): MaybePromise<TopicOutcome> {
		const { provider, limits, refusals, rights, pending } = this.#services;
		const { socketId, topics } = session;
		const { topic, rewind } = request;
		const wasIn = topics.has(topic);
		// A client that is in the topic remains in it; it may only be kept from earlier messages.
		const decision = wasIn && !isAllowed(decided) ? MEMBER : decided;
		if (decision instanceof NotAuthorized) refusals.add('forbidden', { socketId, topic });
		if (!isAllowed(decision)) return decision;
		// The application was not asked, and the server has unsubscribed the client meanwhile.
		if (decision === MEMBER && !wasIn) return pending.removalOf(session, topic) ?? leftMeanwhile(topic);
		if (exceedsTopicLimit(topics, topic, limits)) {
			refusals.add('topics', { socketId, topic });
			return { code: 'too_many_topics', message: tooManyTopics(limits.topicsPerSocket) };
		}
		const hasHistory = provider.hasHistory(topic);
		if (!hasHistory && rewind !== undefined)
			return { code: 'invalid_data', message: `${topic} has no history to rewind` };
		const done = hasHistory
			? this.#resume(session, request, decision !== MEMBER)
			: provider.subscribe(socketId, topic, BY_CLIENT);
		if (!wasIn && session.state !== 'closed' && topics.has(topic)) rights.granted(session, topic, decision);
		return this.#outcomeOf('subscribe', done, session, topic);
	}

	/** Resumes a topic with history, and notifies the client of messages that can't be given back. */
	async #resume(session: Session, { topic, since, rewind }: TopicRequest, isEntitled: boolean): Promise<void> {
		const recovery = await this.#services.provider.resume(session.socketId, topic, { since, rewind, isEntitled });
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
		const final = request.type === BuiltIn.subscribe ? this.#finalOutcomes(session, request, outcomes) : outcomes;
		sendTopicsAnswer(session, request, final, answeredAt(provider));
		events?.topicsDone(session, request, takenAt, final);
	}

	/** Returns the outcomes of a `@subscribe` as they are now: the server may have unsubscribed the client meanwhile. */
	#finalOutcomes(
		session: Session,
		{ topics }: SubscriptionRequest,
		outcomes: readonly TopicOutcome[],
	): readonly TopicOutcome[] {
		const { pending } = this.#services;
		const final = outcomes.map((outcome, index) => {
			const { topic } = topics[index] as TopicRequest;
			return outcome ?? (session.topics.has(topic) ? undefined : pending.removalOf(session, topic));
		});
		pending.end(session);
		return final;
	}
}

const BY_CLIENT = { by: 'client' } as const;

function leftMeanwhile(topic: string): RequestFault {
	return { code: 'unsubscribed', message: `The server has unsubscribed you from ${topic}` };
}
