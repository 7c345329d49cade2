import type { WebSocketConnection } from './websocket-connection.ts';
import {
	DuplicateSocketError,
	InvalidSocketDataError,
	InvalidSocketIdError,
	InvalidUserIdError,
	UnknownSocketError,
} from '../errors.ts';
import { isSocketId } from '../wire/channel-names.ts';
import { InvalidTopicError, isTopic } from '../protocol/topic.ts';
import { isUserId } from './user-id.ts';

/**
 * Returns the reason why a socket can't be admitted; undefined if it can be, or already was.
 *
 * @param known looks up a socket by id
 */
export function checkSocket(
	socket: WebSocketConnection,
	known: (socketId: string) => WebSocketConnection | undefined,
): Error | undefined {
	const data: Partial<WebSocketConnection['data']> | null | undefined = socket?.data;
	if (typeof data !== 'object' || data === null || !Object.isExtensible(data)) return new InvalidSocketDataError(data);
	if (data.socketId === undefined) return new InvalidSocketDataError(data);
	if (!isSocketId(data.socketId)) return new InvalidSocketIdError(data.socketId);
	const holder = known(data.socketId);
	if (holder !== undefined) return holder === socket ? undefined : new DuplicateSocketError(data.socketId);
	if (data.userId !== undefined && !isUserId(data.userId)) return new InvalidUserIdError(data.userId);
	if (data.connectedAt !== undefined && !Number.isFinite(data.connectedAt)) return new InvalidSocketDataError(data);
	const topics = data.topics ?? [];
	if (!(topics instanceof Set || Array.isArray(topics))) return new InvalidSocketDataError(data);
	for (const topic of topics) if (!isTopic(topic)) return new InvalidTopicError(topic);
	// The `close` handler of a closed socket has already run, so nothing would ever remove the socket.
	return socket.readyState === WebSocket.OPEN ? undefined : new UnknownSocketError(data.socketId);
}
