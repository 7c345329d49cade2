import { encodeRefusal, type ErrorCode } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';

/**
 * Refuses a message. If it is a request (it has a correlation id), the refusal is its answer, otherwise a separate
 * frame.
 */
export function sendRefusal(
	session: Session,
	{ type, correlationId }: { readonly type: string; readonly correlationId?: string | undefined },
	code: ErrorCode,
	message: string,
): void {
	session.send(encodeRefusal(type, correlationId, code, message));
}
