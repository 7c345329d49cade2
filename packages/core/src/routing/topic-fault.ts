import {
	HistoryUnavailableError,
	PresenceUnavailableError,
	ProviderNotStartedError,
	ProviderStoppedError,
	SubscribeError,
} from '@orijs/websocket';
import { type RequestFault, SocketError } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';
import type { FaultLog } from '../support/fault-log.ts';
import { INTERNAL_ERROR } from './refusal-texts.ts';

export type TopicOperation = 'subscribe' | 'unsubscribe' | 'history' | 'watch' | 'update';

const FAILED: Record<TopicOperation, string> = {
	subscribe: 'Subscribing failed',
	unsubscribe: 'Unsubscribing failed',
	history: 'Reading a history failed',
	watch: "Showing a client a topic's members failed",
	update: "Changing a client's info failed",
};

/** What a client is told while the backend or the provider is not available. */
const UNAVAILABLE: Record<TopicOperation, string> = {
	subscribe: 'Subscription failed',
	unsubscribe: 'Subscription failed',
	history: 'The history could not be read',
	watch: 'The members could not be read',
	update: 'Your info could not be changed',
};

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
		if (isUnavailable(err)) return { code: 'unavailable', message: `${UNAVAILABLE[operation]}; try again` };
	} catch {
		// Anything can be thrown, including values that throw when inspected.
	}
	// Once the client has disconnected, a failure is to be expected and is not logged.
	if (session.state !== 'closed')
		faults.failed({ what: FAILED[operation], err }, { socketId: session.socketId, topic });
	return { code: 'internal', message: INTERNAL_ERROR };
}

function isUnavailable(err: unknown): boolean {
	return (
		err instanceof SubscribeError ||
		err instanceof HistoryUnavailableError ||
		err instanceof PresenceUnavailableError ||
		err instanceof ProviderNotStartedError ||
		err instanceof ProviderStoppedError
	);
}
