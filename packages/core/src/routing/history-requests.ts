import type { EncodedPage, WebSocketProvider } from '@orijs/websocket';
import { type ClientMessage, encodeAnswer, type HistoryAnswer, type RequestFault } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';
import { FaultLog } from '../support/fault-log.ts';
import { answeredAt } from './answered-at.ts';
import type { MaybePromise } from './maybe-promise.ts';
import { type PageRequest, HISTORY_RULE, readHistoryRequest } from './read-history-request.ts';
import { TIMED_OUT } from './refusal-texts.ts';
import { sendRefusal } from './send-refusal.ts';
import type { SubscriptionServices } from './subscription-requests.ts';
import { refuseIfTooMany } from './too-many-requests.ts';
import { type Decision, isAllowed, MEMBER, NotAuthorized } from './topic-authorizer.ts';
import { topicFault } from './topic-fault.ts';
import { whenDecided } from './when-decided.ts';

/** The maximum size of the messages in one answer, in bytes. A larger message is answered alone. */
const MAX_BYTES = 256 * 1024;

/**
 * A page is read only when no more than this part of `limits.queuedBytes` waits to be sent to the client, and is at
 * most as large. The answer therefore does not make a client a slow reader that was not one already.
 */
const PART_OF_QUEUE = 1 / 4;

/** The first and the longest delay between checks whether a client has read what was sent, in milliseconds. */
const FIRST_CHECK_MS = 2;
const LONGEST_CHECK_MS = 50;

const LEFT: RequestFault = { code: 'disconnected', message: 'the client has left' };

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
	readonly #faults: FaultLog;
	readonly #bytes: number;
	/** Resolves when the session's latest request has been answered. Has only sessions that have read histories. */
	readonly #latest = new WeakMap<Session, Promise<void>>();

	constructor(services: SubscriptionServices) {
		this.#services = services;
		this.#faults = new FaultLog(services.logger);
		this.#bytes = Math.min(MAX_BYTES, services.limits.queuedBytes * PART_OF_QUEUE);
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
				else if (correlationId !== undefined) this.#answer(session, request, correlationId);
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

	#answer(session: Session, request: AcceptedRequest, correlationId: string): void {
		session.pendingAnswers++;
		const earlier = this.#latest.get(session);
		const answered = this.#answerAfter(earlier, session, request, correlationId).finally(() => {
			session.pendingAnswers--;
			if (this.#latest.get(session) === answered) this.#latest.delete(session);
		});
		this.#latest.set(session, answered);
	}

	/** Never rejects. */
	async #answerAfter(
		earlier: Promise<void> | undefined,
		session: Session,
		request: AcceptedRequest,
		correlationId: string,
	): Promise<void> {
		const deadline = performance.now() + this.#services.limits.handlerTimeoutMs;
		await earlier;
		const { type, takenAt, query } = request;
		if (!(await this.#hasRoom(session, deadline))) {
			this.#services.refusals.add('handlerTimeout', { socketId: session.socketId, type });
			const message = `${TIMED_OUT}: the client reads too slowly`;
			return this.#refuse(session, request, { code: 'timeout', message });
		}
		const { provider, events } = this.#services;
		const { topic, ...page } = query;
		if (session.state === 'closed') return events?.topicDone(session, request, topic, takenAt, LEFT);
		try {
			const encoded = await provider.encodedHistory(topic, { ...page, bytes: this.#bytes });
			session.send(encodePage(type, correlationId, encoded, provider));
		} catch (err) {
			return this.#refuse(session, request, topicFault(this.#faults, { operation: 'history', session, topic, err }));
		}
		events?.topicDone(session, request, topic, takenAt, undefined);
	}

	/** Resolves when a page can be sent to the client, or it has left; with false if that is not before the deadline. */
	async #hasRoom(session: Session, deadline: number): Promise<boolean> {
		const { queuedBytes } = this.#services.limits;
		const isFull = (): boolean =>
			session.state !== 'closed' && session.ws.getBufferedAmount() > queuedBytes * PART_OF_QUEUE;
		for (let ms = FIRST_CHECK_MS; isFull(); ms = Math.min(LONGEST_CHECK_MS, ms * 2)) {
			if (performance.now() > deadline) return false;
			await new Promise((resolve) => setTimeout(resolve, ms));
		}
		return true;
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
