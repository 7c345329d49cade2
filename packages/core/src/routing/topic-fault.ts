import { HistoryUnavailableError, SubscribeError } from '@orijs/websocket';
import { type RequestFault, SocketError } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';
import type { FaultLog } from '../support/fault-log.ts';
import { INTERNAL_ERROR } from './refusal-texts.ts';

export type TopicOperation = 'subscribe' | 'unsubscribe';

interface FailedRequest {
	readonly operation: TopicOperation;
	readonly session: Session;
	readonly topic: string;
	readonly err: unknown;
}

/** Returns the fault to send to the client when an operation on a topic has failed. Details go only to the log. */
export function topicFault(faults: FaultLog, { operation, session, topic, err }: FailedRequest): RequestFault {
	try {
		if (err instanceof SocketError) return { code: err.code, message: err.message };
		if (err instanceof SubscribeError || err instanceof HistoryUnavailableError)
			return { code: 'unavailable', message: 'Subscription failed; try again' };
	} catch {
		// Anything can be thrown, including values that throw when inspected.
	}
	// Once the client has disconnected, a failure is to be expected and is not logged.
	if (session.state !== 'closed') {
		const what = operation === 'subscribe' ? 'Subscribing failed' : 'Unsubscribing failed';
		faults.failed({ what, err }, { socketId: session.socketId, topic });
	}
	return { code: 'internal', message: INTERNAL_ERROR };
}
