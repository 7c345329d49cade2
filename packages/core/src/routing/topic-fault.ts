import { HistoryUnavailableError, type Logger, SubscribeError } from '@orijs/websocket';
import { type RequestFault, SocketError } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';
import { INTERNAL_ERROR } from './refusal-texts.ts';

export type TopicOperation = 'subscribe' | 'unsubscribe';

interface FailedRequest {
	readonly operation: TopicOperation;
	readonly session: Session;
	readonly topic: string;
	readonly err: unknown;
}

/** Returns the fault that is sent to the client when an operation on a topic failed. Details only go to the log. */
export function topicFault(logger: Logger, { operation, session, topic, err }: FailedRequest): RequestFault {
	try {
		if (err instanceof SocketError) return { code: err.code, message: err.message };
		if (err instanceof SubscribeError || err instanceof HistoryUnavailableError)
			return { code: 'unavailable', message: 'Subscription failed; try again' };
	} catch {
		// Anything can be thrown, including values that throw when inspected.
	}
	// A client that disconnects in the meantime is not an error.
	if (session.state !== 'closed') {
		const failed = operation === 'subscribe' ? 'Subscribing failed' : 'Unsubscribing failed';
		logger.error(failed, { socketId: session.socketId, topic, err });
	}
	return { code: 'internal', message: INTERNAL_ERROR };
}
