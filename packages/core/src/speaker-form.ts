import { InvalidPayloadError } from '@orijs/websocket';
import { isPayload, toSpeaker } from '@orijs/websocket/internal';

/**
 * Returns the form in which a client that speaks the protocol receives what the application passes to a `send` of its
 * socket.
 *
 * @throws {InvalidPayloadError} it is something that Bun would turn into text or bytes by itself, such as a `Blob` or a
 * `String` object: what Bun makes of it could be mistaken for a frame
 */
export function speakerForm<TData>(data: TData): TData {
	if (isPayload(data)) return toSpeaker(data) as TData;
	// A copy, because another thread could change what has been looked at.
	if (data instanceof SharedArrayBuffer) return toSpeaker(new Uint8Array(data).slice()) as TData;
	throw new InvalidPayloadError(data);
}
