import { BuiltIn, type ErrorCode } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';
import type { EndpointEvent, EventListeners } from './endpoint-event.ts';
import type { MessageContext } from './message-context.ts';
import type { SubscriptionRequest } from './subscription-request.ts';
import type { TopicOutcome } from './topics-answer.ts';

/** The part of a message that events show. */
export interface SentMessage {
	readonly type: string;
	readonly correlationId?: string | undefined;
}

/** The codes of requests that failed, where the error itself is not known any more. */
const FAILURES: ReadonlySet<string | undefined> = new Set<ErrorCode>([
	'internal',
	'unavailable',
	'timeout',
	'disconnected',
]);

const BUILT_IN: ReadonlySet<string> = new Set(Object.values(BuiltIn));

/** Reports what becomes of messages. Exists only if somebody listens. */
export class MessageEvents {
	readonly #listeners: EventListeners;
	readonly #routes: { has(type: string): boolean };
	/** When the turn of each message came (monotonic clock, in milliseconds), until it is reported. */
	readonly #takenAt = new WeakMap<MessageContext, number>();

	/** @param routes the message types that have a handler */
	constructor(listeners: EventListeners, routes: { has(type: string): boolean }) {
		this.#listeners = listeners;
		this.#routes = routes;
	}

	/** The time by which durations are measured (monotonic clock, in milliseconds). */
	now(): number {
		return performance.now();
	}

	/** Called when a message's turn has come. */
	taken(ctx: MessageContext): void {
		this.#takenAt.set(ctx, this.now());
	}

	/** Reports what became of a message; only the first call for each message has an effect. */
	done(
		ctx: MessageContext,
		session: Session,
		outcome: EndpointEvent['outcome'],
		code?: ErrorCode,
		err?: unknown,
	): void {
		const takenAt = this.#takenAt.get(ctx);
		if (takenAt === undefined) return;
		this.#takenAt.delete(ctx);
		this.#report(session, ctx, { outcome, code, error: err, durationMs: this.now() - takenAt });
	}

	/** Reports a message that was refused before it reached a handler. */
	refused(session: Session, message: SentMessage, code: ErrorCode): void {
		this.#report(session, message, { outcome: 'refused', code, durationMs: 0 });
	}

	/** Reports the outcome of a request for one topic. @param takenAt when its turn came (monotonic clock, in ms) */
	topicDone(session: Session, request: SentMessage, topic: string, takenAt: number, fault: TopicOutcome): void {
		const outcome = fault === undefined ? 'handled' : FAILURES.has(fault.code) ? 'failed' : 'refused';
		this.#report(session, request, { topic, outcome, code: fault?.code, durationMs: this.now() - takenAt });
	}

	/** Reports the outcome of a request for each of its topics. */
	topicsDone(session: Session, request: SubscriptionRequest, takenAt: number, outcomes: readonly TopicOutcome[]): void {
		for (const [index, { topic }] of request.topics.entries())
			this.topicDone(session, request, topic, takenAt, outcomes[index]);
	}

	#report(
		session: Session,
		{ type, correlationId }: SentMessage,
		{
			topic,
			outcome,
			code,
			error,
			durationMs,
		}: Pick<EndpointEvent, 'outcome' | 'code' | 'durationMs'> & Partial<EndpointEvent>,
	): void {
		this.#listeners.call({
			socketId: session.socketId,
			ws: session.ws,
			state: session.values,
			type,
			isKnown: this.#routes.has(type) || BUILT_IN.has(type),
			correlationId,
			topic,
			outcome,
			code,
			error,
			durationMs,
		});
	}
}
