import { InvalidPayloadError } from '@orijs/websocket';
import { encodeEnvelope, encodeRequest, type SocketMessage } from '@orijs/websocket/protocol';

/**
 * Encodes a message for clients, or a request if there is a correlation id.
 *
 * @throws {InvalidPayloadError} the data can't be written as JSON
 */
export function encodeMessage({ name }: SocketMessage, data: unknown, correlationId?: string): string {
	try {
		return correlationId === undefined ? encodeEnvelope(name, data) : encodeRequest(name, data, correlationId);
	} catch (cause) {
		throw new InvalidPayloadError(data, { cause });
	}
}
