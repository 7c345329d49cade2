import { encodeEnvelope, encodeRequest, type SocketMessage } from '@orijs/websocket/protocol';

/**
 * Encodes a message for clients, or a request if there is a correlation id.
 *
 * @throws {UnsupportedValueError} the data has a value that can't be sent
 */
export function encodeMessage({ name }: SocketMessage, data: unknown, correlationId?: string): string {
	return correlationId === undefined ? encodeEnvelope(name, data) : encodeRequest(name, data, correlationId);
}
