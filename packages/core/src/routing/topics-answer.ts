import { type AnsweredAt, encodeAnswer, type RequestFault, type TopicsAnswer } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';
import { sendRefusal } from './send-refusal.ts';
import type { SubscriptionRequest } from './subscription-request.ts';

/** The outcome for one topic: a fault, or undefined for success. */
export type TopicOutcome = RequestFault | undefined;

/**
 * Answers a `@subscribe` or `@unsubscribe`. If the request named a single `topic`, a fault refuses the whole message.
 * If it listed `topics`, the answer lists the refused topics; without a correlation id, each of them is refused in a
 * separate frame.
 */
export function sendTopicsAnswer(
	session: Session,
	request: SubscriptionRequest,
	outcomes: readonly TopicOutcome[],
	at: AnsweredAt,
): void {
	const { type, correlationId, topics, isList } = request;
	const [first] = outcomes;
	if (!isList) {
		if (first !== undefined) return sendRefusal(session, request, first.code, first.message);
		if (correlationId !== undefined) session.send(encodeAnswer(type, correlationId, at satisfies TopicsAnswer));
		return;
	}
	const refused = topics.flatMap(({ topic }, index) => {
		const fault = outcomes[index];
		return fault === undefined ? [] : [{ topic, ...fault }];
	});
	if (correlationId !== undefined) {
		session.send(encodeAnswer(type, correlationId, { ...at, refused } satisfies TopicsAnswer));
		return;
	}
	for (const { code, message: why } of refused) sendRefusal(session, request, code, why);
}
