import { encodeValues } from '@orijs/websocket/protocol';
import { UnsentMessageError } from '../errors.ts';

/**
 * Encodes a message to the server, or a request if there is a correlation id.
 *
 * @throws {UnsentMessageError} the data has a value that can't be sent
 */
export function encodeMessage(type: string, data: unknown, correlationId?: string): string {
	return encodeValues(
		{ type, correlationId, data },
		(reason) => new UnsentMessageError(type, 'unsupported_value', reason),
	);
}
