import { UnknownSocketError } from '@orijs/websocket';

/**
 * Whether a handler failed only because its own client had disconnected, which is not a fault: clients leave at any
 * time.
 */
export function isOwnSocketGone(socketId: string, err: unknown): boolean {
	return err instanceof UnknownSocketError && err.socketId === socketId;
}
