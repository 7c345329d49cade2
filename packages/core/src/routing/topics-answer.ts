import {
	type AnsweredAt,
	type ClientMessage,
	encodeAnswer,
	type RequestFault,
	type TopicRequest,
	type TopicsAnswer,
} from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';
import { sendRefusal } from './send-refusal.ts';

/** The outcome for one topic: a fault, or undefined for success. */
export type TopicOutcome = RequestFault | undefined;

/**
 * Answers a `@subscribe` or `@unsubscribe`. If the request named a single `topic`, a fault refuses the message. If it
 * listed `topics`, the answer lists those that were refused; without a correlation id, each of them gets a separate
 * refusal.
 */
export function sendTopicsAnswer(
	session: Session,
	message: ClientMessage,
	topics: readonly TopicRequest[],
	outcomes: readonly TopicOutcome[],
	at: AnsweredAt,
): void {
	const { type, correlationId, data } = message;
	const [first] = outcomes;
	if (!('topics' in (data as object))) {
		if (first !== undefined) return sendRefusal(session, message, first.code, first.message);
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
	for (const { code, message: why } of refused) sendRefusal(session, message, code, why);
}
