import type { WebSocketProvider } from '@orijs/websocket';
import type { AuthAnswer } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';
import { answeredAt } from './answered-at.ts';

export interface AuthAnswerServices {
	readonly provider: WebSocketProvider;
	readonly limits: { readonly messagesPerSecond: number };
}

/** Returns the answer to `@auth` once the guards have passed. */
export function authAnswer({ socketId }: Session, { provider, limits }: AuthAnswerServices): AuthAnswer {
	const { messagesPerSecond } = limits;
	const answer = { socketId, ...answeredAt(provider) };
	return messagesPerSecond === Infinity ? answer : { ...answer, messagesPerSecond };
}
