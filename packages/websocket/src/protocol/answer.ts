import type { Answer, ErrorCode } from './client-message.ts';
import { encodeFrame } from './encode-frame.ts';

/** Encodes the answer to a request. @throws {UnsupportedValueError} the data has a value that can't be sent */
export function encodeAnswer(type: string, correlationId: string, data: unknown): string {
	return encodeFrame(type, { type, correlationId, data } satisfies Answer);
}

/** Encodes a refusal. @param correlationId undefined if the message was not a request */
export function encodeRefusal(
	type: string,
	correlationId: string | undefined,
	code: ErrorCode,
	message: string,
): string {
	return JSON.stringify({ type, correlationId, error: { code, message } });
}
