import { InvalidPayloadError } from '@orijs/websocket';
import { encodeEnvelope, encodeRequest, type SocketMessage } from '@orijs/websocket/protocol';

/** A message as it goes to a client; with a correlation id, a request. @throws {InvalidPayloadError} JSON has no way to write the data */
export function encodeMessage({ name }: SocketMessage, data: unknown, correlationId?: string): string {
	try {
		return correlationId === undefined ? encodeEnvelope(name, data) : encodeRequest(name, data, correlationId);
	} catch (cause) {
		throw new InvalidPayloadError(data, { cause });
	}
}
