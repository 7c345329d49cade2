import type { WebSocketProvider } from '@orijs/websocket';
import type { AuthAnswer } from '@orijs/websocket/protocol';
import type { AllLimits } from '../limits.ts';
import type { Session } from '../session/session.ts';
import { answeredAt } from './answered-at.ts';

export interface AuthAnswerServices {
	readonly provider: WebSocketProvider;
	readonly limits: Pick<AllLimits, 'messageBytes' | 'messagesPerSecond' | 'bytesPerSecond'>;
}

/**
 * Returns the answer to an `@auth` that has been accepted.
 *
 * @param expiresInMs for how long its credentials are valid; `Infinity` if they don't expire
 */
export function authAnswer(
	{ socketId }: Session,
	{ provider, limits }: AuthAnswerServices,
	expiresInMs: number = Infinity,
): AuthAnswer {
	const { messageBytes, messagesPerSecond, bytesPerSecond } = limits;
	return {
		socketId,
		...answeredAt(provider),
		messageBytes,
		...(messagesPerSecond === Infinity ? {} : { messagesPerSecond }),
		...(bytesPerSecond === Infinity ? {} : { bytesPerSecond }),
		...(expiresInMs === Infinity ? {} : { expiresInMs: Math.max(0, Math.floor(expiresInMs)) }),
	};
}
