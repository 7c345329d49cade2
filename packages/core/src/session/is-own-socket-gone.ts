import { UnknownSocketError } from '@orijs/websocket';
import { SocketRequestError } from '@orijs/websocket/protocol';

/**
 * Whether a handler failed only because its own client had disconnected, which is not a fault: clients leave at any
 * time.
 */
export function isOwnSocketGone(socketId: string, err: unknown): boolean {
	const gone = err instanceof SocketRequestError ? err.cause : err;
	return gone instanceof UnknownSocketError && gone.socketId === socketId;
}
