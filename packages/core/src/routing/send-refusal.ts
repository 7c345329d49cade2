import { encodeRefusal, type ErrorCode } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';

/** What clients are told of a failure that is none of their business. */
export const INTERNAL_ERROR = 'Something went wrong on the server';

export function sendRefusal(
	session: Session,
	{ type, correlationId }: { readonly type: string; readonly correlationId?: string | undefined },
	code: ErrorCode,
	message: string,
): void {
	session.send(encodeRefusal(type, correlationId, code, message));
}
