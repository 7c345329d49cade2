import { InvalidPayloadError } from '@orijs/websocket';
import { encodeEnvelope, type SocketMessage } from '@orijs/websocket/protocol';

/** A message as it goes to a client. @throws {InvalidPayloadError} JSON has no way to write the data */
export function encoded(message: SocketMessage, data: unknown, correlationId?: string): string {
	try {
		return encodeEnvelope(message.name, data, correlationId);
	} catch (cause) {
		throw new InvalidPayloadError(data, { cause });
	}
}
