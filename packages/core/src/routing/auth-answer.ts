import type { AuthAnswer } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';

/** Returns the answer to `@auth` once the guards have passed. */
export function authAnswer(
	{ socketId }: Session,
	{ messagesPerSecond }: { readonly messagesPerSecond: number },
): AuthAnswer {
	const timestamp = Date.now();
	return messagesPerSecond === Infinity ? { socketId, timestamp } : { socketId, timestamp, messagesPerSecond };
}
