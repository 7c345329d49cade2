import { encodeRefusal, type ErrorCode } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';

/** Refuses a message: as the answer to its request if it has a correlation id, otherwise as a separate frame. */
export function sendRefusal(
	session: Session,
	{ type, correlationId }: { readonly type: string; readonly correlationId?: string | undefined },
	code: ErrorCode,
	message: string,
): void {
	session.send(encodeRefusal(type, correlationId, code, message));
}
