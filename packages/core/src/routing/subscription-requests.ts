import { type Logger, SubscribeError, type WebSocketProvider } from '@orijs/websocket';
import {
	type ClientMessage,
	encodeAnswer,
	type RequestFault,
	SocketError,
	type TopicRequest,
	type TopicsAnswer,
} from '@orijs/websocket/protocol';
import type { AllLimits } from '../limits.ts';
import { promiseOf } from '../support/promise-of.ts';
import type { Refusals } from '../refusals.ts';
import type { Session } from '../session/session.ts';
import type { Authorize } from '../websocket-options.ts';
import { INTERNAL_ERROR, sendRefusal } from './send-refusal.ts';
import { readTopicRequests, TOPICS_RULE } from './read-topic-requests.ts';

export interface TopicServices {
	readonly provider: WebSocketProvider;
	readonly limits: AllLimits;
	readonly refusals: Refusals;
	readonly logger: Logger;
	readonly authorize: Authorize;
}

/** Whether a client may subscribe to a topic; a fault where that could not be decided. */
type Verdict = 'allowed' | 'forbidden' | RequestFault;

/** What came of one topic: undefined if all is well. */
type Outcome = RequestFault | undefined;

/** Joining and leaving topics at a client's own wish. */
export class SubscriptionRequests {
	readonly #services: TopicServices;

	constructor(services: TopicServices) {
		this.#services = services;
	}

	subscribe(session: Session, message: ClientMessage): void {
		const topics = this.#topicsOf(session, message);
		if (topics === undefined) return;
		const verdicts = topics.map(({ topic }) => this.#verdictOn(session, topic));
		const join = (decided: readonly Verdict[]): void => {
			const done = decided.map((verdict, index) => this.#join(session, topics[index] as TopicRequest, verdict));
			this.#answerAfter(done, session, message, topics);
		};
		if (verdicts.every(isNow)) return join(verdicts);
		const asking = new Asking(message, verdicts, join);
		session.begin(asking);
		void allOf(verdicts).then((decided) => {
			// Unless it took too long, and was answered.
			if (session.running !== asking) return;
			join(decided);
			session.finished(asking);
		});
	}

	unsubscribe(session: Session, message: ClientMessage): void {
		const topics = this.#topicsOf(session, message);
		if (topics === undefined) return;
		const { provider } = this.#services;
		const done = topics.map(({ topic }) =>
			this.#outcomeOf(provider.unsubscribe(session.socketId, topic), session, topic),
		);
		this.#answerAfter(done, session, message, topics);
	}

	/** Asks whether the client may subscribe. Neither throws nor rejects. */
	#verdictOn(session: Session, topic: string): Verdict | Promise<Verdict> {
		try {
			const allowed: unknown = this.#services.authorize.subscribe?.(session.ws, topic, session.values);
			const later = promiseOf(allowed);
			return later === undefined ? verdictOf(allowed) : this.#lateVerdict(later, session, topic);
		} catch (err) {
			return this.#faultOf(err, session, topic);
		}
	}

	async #lateVerdict(allowed: Promise<unknown>, session: Session, topic: string): Promise<Verdict> {
		try {
			return verdictOf(await allowed);
		} catch (err) {
			return this.#faultOf(err, session, topic);
		}
	}

	#join(session: Session, request: TopicRequest, verdict: Verdict): Outcome | Promise<Outcome> {
		const { provider, limits, refusals } = this.#services;
		const { socketId, topics } = session;
		const { topic, since, rewind } = request;
		if (verdict === 'forbidden') {
			refusals.add('forbidden', { socketId, topic });
			return { code: 'forbidden', message: `You may not subscribe to ${topic}` };
		}
		if (verdict !== 'allowed') return verdict;
		if (topics.size >= limits.topicsPerSocket && !topics.has(topic)) {
			refusals.add('topics', { socketId, topic });
			return { code: 'too_many_topics', message: `A connection may be in ${limits.topicsPerSocket} topics` };
		}
		if (provider.hasHistory(topic))
			return this.#outcomeOf(provider.resume(socketId, topic, { since, rewind }), session, topic);
		if (rewind !== undefined) return { code: 'invalid_data', message: `${topic} has no history to rewind` };
		return this.#outcomeOf(provider.subscribe(socketId, topic), session, topic);
	}

	/** Never rejects. */
	#outcomeOf(done: Promise<unknown>, session: Session, topic: string): Promise<Outcome> {
		return done.then(
			() => undefined,
			(err: unknown) => this.#faultOf(err, session, topic),
		);
	}

	#faultOf(err: unknown, session: Session, topic: string): RequestFault {
		try {
			if (err instanceof SocketError) return { code: err.code, message: err.message };
			if (err instanceof SubscribeError) return { code: 'unavailable', message: 'The backend refused; try again' };
		} catch {
			// Anything can be thrown, also what can't be looked at.
		}
		// Clients leave when they like.
		if (session.state !== 'closed') {
			this.#services.logger.error('Joining or leaving a topic failed', { socketId: session.socketId, topic, err });
		}
		return { code: 'internal', message: INTERNAL_ERROR };
	}

	/** The topics a message is about; undefined if it was refused. */
	#topicsOf(session: Session, message: ClientMessage): readonly TopicRequest[] | undefined {
		const { limits, refusals } = this.#services;
		const { socketId } = session;
		const topics = readTopicRequests(message.data);
		if (topics === undefined) {
			refusals.add('data', { socketId, type: message.type });
			sendRefusal(session, message, 'invalid_data', TOPICS_RULE);
			return undefined;
		}
		if (session.pendingAnswers >= limits.pendingRequests) {
			refusals.add('requests', { socketId });
			sendRefusal(session, message, 'too_many_requests', `${limits.pendingRequests} requests wait already`);
			return undefined;
		}
		session.charge(Math.ceil(topics.length / TOPICS_PER_MESSAGE) - 1);
		return topics;
	}

	#answerAfter(
		done: readonly (Outcome | Promise<Outcome>)[],
		session: Session,
		message: ClientMessage,
		topics: readonly TopicRequest[],
	): void {
		if (done.every(isNow)) return answer(session, message, topics, done);
		session.pendingAnswers++;
		void allOf(done).then((outcomes) => {
			session.pendingAnswers--;
			answer(session, message, topics, outcomes);
		});
	}

	/** What the application was asked takes too long to decide: of several topics, those that it has decided are none the worse. */
	giveUp(session: Session, asking: Asking): void {
		this.#services.refusals.add('handlerTimeout', { socketId: session.socketId, type: asking.message.type });
		asking.giveUp();
	}
}

/** A client waits for the application to say whether it may. */
export class Asking {
	readonly message: ClientMessage;
	readonly #verdicts: Verdict[];
	readonly #join: (verdicts: readonly Verdict[]) => void;

	constructor(
		message: ClientMessage,
		verdicts: readonly (Verdict | Promise<Verdict>)[],
		join: (verdicts: readonly Verdict[]) => void,
	) {
		this.message = message;
		this.#join = join;
		this.#verdicts = verdicts.map((verdict) => (isNow(verdict) ? verdict : TOO_LONG));
		for (const [index, verdict] of verdicts.entries()) {
			if (!isNow(verdict)) void verdict.then((late) => (this.#verdicts[index] = late));
		}
	}

	/** Goes on with what is decided by now. */
	giveUp(): void {
		this.#join(this.#verdicts);
	}
}

const TOO_LONG: RequestFault = { code: 'timeout', message: 'The server took too long' };

/** So many topics of one message count as a message, for the rate. */
const TOPICS_PER_MESSAGE = 10;

function verdictOf(allowed: unknown): Verdict {
	return allowed === true ? 'allowed' : 'forbidden';
}

function isNow<T extends Verdict | Outcome>(result: T | Promise<T>): result is T {
	return !(result instanceof Promise);
}

function allOf<T>(results: readonly (T | Promise<T>)[]): Promise<T[]> {
	return Promise.all(results.map((result) => Promise.resolve(result)));
}

/** One topic's refusal is that of the message; of several, each has its own. */
function answer(
	session: Session,
	message: ClientMessage,
	topics: readonly TopicRequest[],
	outcomes: readonly Outcome[],
): void {
	const timestamp = Date.now();
	const { type, correlationId, data } = message;
	const [first] = outcomes;
	if (!('topics' in (data as object))) {
		if (first !== undefined) return sendRefusal(session, message, first.code, first.message);
		if (correlationId !== undefined)
			session.send(encodeAnswer(type, correlationId, { timestamp } satisfies TopicsAnswer));
		return;
	}
	const refused = topics.flatMap(({ topic }, index) => {
		const fault = outcomes[index];
		return fault === undefined ? [] : [{ topic, ...fault }];
	});
	if (correlationId !== undefined) {
		session.send(encodeAnswer(type, correlationId, { timestamp, refused } satisfies TopicsAnswer));
		return;
	}
	for (const { code, message: why } of refused) sendRefusal(session, message, code, why);
}
