import type { AuthAnswer } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';

/** What a client is told once it is let in. */
export function authAnswer(
	{ socketId }: Session,
	{ messagesPerSecond }: { readonly messagesPerSecond: number },
): AuthAnswer {
	const timestamp = Date.now();
	return messagesPerSecond === Infinity ? { socketId, timestamp } : { socketId, timestamp, messagesPerSecond };
}
